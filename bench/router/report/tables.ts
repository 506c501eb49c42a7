import type { Spread } from '../figures.js';
import { READINGS, isVoid } from '../results.js';
import type { Memory, Reading, Results } from '../results.js';
import { MEASUREMENTS } from '../settings.js';
import type { MeasurementName } from '../settings.js';
import type { TargetLine } from '../targets.js';

/** A table as data: the terminal and the page write it in their own ways. */
export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

interface Column {
  readonly title: string;
  readonly read: Reading;
  /** Of the two ends of the range the one that is called best. */
  readonly best: 'most' | 'least';
  readonly show: (value: number) => string;
}

/** `31,300`, `92.4`, `0.29`: three digits that matter. */
export function digits(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const CPU: Column = { title: 'CPU µs/request', read: READINGS.processorUs, best: 'least', show: digits };
const COLUMNS: Readonly<Record<MeasurementName, readonly Column[]>> = {
  saturated: [
    { title: 'requests/s', read: READINGS.requestsPerSecond, best: 'most', show: digits },
    CPU,
    { title: 'candidate', read: READINGS.candidateShare, best: 'least', show: percent },
  ],
  single: [
    { title: 'p50 µs', read: READINGS.p50Us, best: 'least', show: digits },
    { title: 'p99 µs', read: READINGS.p99Us, best: 'least', show: digits },
    CPU,
  ],
  'first-token': [{ title: 'first token µs', read: READINGS.firstTokenUs, best: 'least', show: digits }],
  events: [
    { title: 'events/s', read: READINGS.eventsPerSecond, best: 'most', show: digits },
    { title: 'CPU µs/event', read: READINGS.processorUsPerEvent, best: 'least', show: digits },
  ],
  long: [{ title: 'requests/s', read: READINGS.requestsPerSecond, best: 'most', show: digits }, CPU],
};

/** `10,400 [9,900–11,200] best 11,200`: median, range, and which end of it is the good one. */
function cell(spread: Spread | null, { best, show }: Column): string {
  if (spread === null) return '–';
  const { median, least, most } = spread;
  return `${show(median)} [${show(least)}–${show(most)}], best ${show(best === 'most' ? most : least)}`;
}

export function measurementTables(results: Results, targets: readonly string[]): readonly Table[] {
  return MEASUREMENTS.map(({ name, title }) => {
    const columns = COLUMNS[name];
    const measured = targets.filter((target) => results.has(name, target));
    const rows = measured.map((target) => {
      const samples = results.samples.filter((sample) => sample.measurement === name && sample.target === target);
      const cells = columns.map((column) => cell(results.spread(name, target, column.read), column));
      return [target, ...cells, `${samples.filter((sample) => !isVoid(sample)).length}/${samples.length}`];
    });
    return { title, header: ['', ...columns.map((column) => column.title), 'rounds'], rows };
  });
}

export function memoryTable(memory: readonly Memory[]): Table {
  const rows = memory.map(({ target, resident, perIdleStream }) => [
    target,
    (resident / 2 ** 20).toFixed(0),
    perIdleStream === null ? '–' : (perIdleStream / 1024).toFixed(1),
  ]);
  return { title: 'memory', header: ['', 'MiB after 32 busy connections', 'KiB per idle stream, of 2,000'], rows };
}

export function targetTable(lines: readonly TargetLine[]): Table {
  const rows = lines.map(({ claim, figure, bar, sense, unit, roundsMet, verdict }) => [
    claim,
    `${sense === 'at least' ? '≥' : '≤'} ${bar} ${unit}`,
    figure === null ? '–' : `${digits(figure.median)} ${unit}`,
    figure === null || figure.count < 2 ? '–' : `${digits(figure.least)}–${digits(figure.most)}`,
    figure === null ? '–' : `${roundsMet}/${figure.count}`,
    verdict,
  ]);
  return { title: 'targets', header: ['target', 'bar', 'median', 'range', 'rounds that met it', ''], rows };
}
