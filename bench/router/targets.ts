import { spreadOf } from './figures.js';
import type { Spread } from './figures.js';
import { READINGS } from './results.js';
import type { Memory, Reading, Results } from './results.js';
import type { MeasurementName } from './settings.js';

/** One bar that the router is held to. */
export interface TargetLine {
  readonly claim: string;
  /** Median, range and number of rounds; null = not measured in this run. */
  readonly figure: Spread | null;
  readonly bar: number;
  readonly sense: 'at least' | 'at most';
  readonly unit: string;
  /** Rounds in which the bar was met. */
  readonly roundsMet: number;
  readonly verdict: 'met' | 'not met' | 'not measured';
}

const OURS = 'sluice';
const TIMES = '×';

/** Every target of the router's speed, with the figure of this run. The median decides. */
export function targetLines(results: Results, memory: readonly Memory[]): readonly TargetLine[] {
  const ratio = (measurement: MeasurementName, pair: readonly [string, string], read: Reading) =>
    results.ratio(measurement, pair, read);
  const against = (peer: string): readonly [string, string] => [OURS, peer];
  const { requestsPerSecond, eventsPerSecond, processorUs, p50Us, p99Us, firstTokenUs } = READINGS;
  const throughput = (peer: string, title: string, bar: number) =>
    line(`requests per second ÷ ${title}'s`, ratio('saturated', against(peer), requestsPerSecond), atLeast(bar, TIMES));
  const events = (peer: string, title: string, bar: number) =>
    line(
      `saturated events per second ÷ ${title}'s`,
      ratio('events', against(peer), eventsPerSecond),
      atLeast(bar, TIMES),
    );
  const added = (read: Reading, peer = 'direct', measurement: MeasurementName = 'single') =>
    results.difference(measurement, against(peer), read);
  const own = memory.find(({ target }) => target === OURS);
  return [
    throughput('portkey', 'Portkey', 20),
    throughput('litellm', 'LiteLLM', 100),
    throughput('envoy', 'Envoy', 0.95),
    throughput('nginx', 'nginx', 0.25),
    line("CPU per request ÷ Envoy's", ratio('saturated', against('envoy'), processorUs), atMost(1.1, TIMES)),
    line('added p50, one connection', added(p50Us), atMost(180, 'µs')),
    line('added p99, one connection', added(p99Us), atMost(700, 'µs')),
    line("time to first token, above Envoy's", added(firstTokenUs, 'envoy', 'first-token'), atMost(200, 'µs')),
    events('nginx', 'nginx', 0.7),
    events('portkey', 'Portkey', 9),
    line("CPU of a 32 KB prompt ÷ Envoy's", ratio('long', against('envoy'), processorUs), atMost(1.15, TIMES)),
    line(
      'CPU, all on ÷ a route at rest',
      ratio('saturated', against(`${OURS}, resting`), processorUs),
      atMost(1.25, TIMES),
    ),
    line(
      'CPU, all on ÷ bare node:http and undici',
      ratio('saturated', against('bare'), processorUs),
      atMost(1.25, TIMES),
    ),
    line(
      'CPU, mirror at 100% ÷ without',
      ratio('saturated', [`${OURS}, mirror 100%`, OURS], processorUs),
      atMost(1.7, TIMES),
    ),
    line('throughput of two processes ÷ one', [], atLeast(1.4, TIMES)),
    line(
      'resident memory after 32 busy connections',
      own === undefined ? [] : [own.resident / 2 ** 20],
      atMost(110, 'MiB'),
    ),
    line(
      'memory of an idle stream, of 2,000',
      own === undefined || own.perIdleStream === null ? [] : [own.perIdleStream / 1024],
      atMost(40, 'KiB'),
    ),
  ];
}

interface Bar {
  readonly bar: number;
  readonly sense: TargetLine['sense'];
  readonly unit: string;
}

function atLeast(bar: number, unit: string): Bar {
  return { bar, sense: 'at least', unit };
}

function atMost(bar: number, unit: string): Bar {
  return { bar, sense: 'at most', unit };
}

/** `values`: one for each round. */
export function line(claim: string, values: readonly number[], { bar, sense, unit }: Bar): TargetLine {
  const figure = spreadOf(values);
  const meets = (value: number): boolean => (sense === 'at least' ? value >= bar : value <= bar);
  const verdict = figure === null ? 'not measured' : meets(figure.median) ? 'met' : 'not met';
  return { claim, figure, bar, sense, unit, roundsMet: values.filter(meets).length, verdict };
}
