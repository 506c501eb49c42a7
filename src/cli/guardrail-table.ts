/** Guardrails as a table for people: verdict, what was seen, its interval, the e-values, what `safe` still needs. */
import type { GuardrailStatus, Verdict } from '../evidence/look.js';
import type { GuardrailName } from '../plan/types.js';
import { colour, formatDuration, formatEValue, formatInterval, formatMeasure, pad } from './format.js';

const COLUMNS = [22, 11, 11, 11, 16, 12, 12, 12] as const;
const HEADER = ['guardrail', 'verdict', 'stable', 'candidate', 'odds interval', 'e: harm', 'e: promote', 'still needs'];

/** One line a guardrail below a header; empty without guardrails. */
export function guardrailTable(guardrails: Readonly<Partial<Record<GuardrailName, GuardrailStatus>>>): string[] {
  const entries = Object.entries(guardrails);
  if (entries.length === 0) return [];
  return [
    row(HEADER.map((cell) => colour.dim(cell))),
    ...entries.map(([name, guardrail]) => guardrailLine(name, guardrail)),
  ];
}

function guardrailLine(name: string, guardrail: GuardrailStatus): string {
  const { breach, safe } = guardrail.logE;
  return row([
    name,
    verdictWord(guardrail.verdict),
    formatMeasure(name, guardrail.stable),
    formatMeasure(name, guardrail.candidate),
    formatInterval(guardrail.interval),
    breach === null ? '–' : formatEValue(breach),
    safe === null ? '–' : formatEValue(safe),
    formatNeeds(guardrail.needs),
  ]);
}

/** What `safe` still needs at the traffic of the last minutes: `about 3h 5m`, `1,200 requests`, `–`. */
function formatNeeds(needs: GuardrailStatus['needs']): string {
  if (needs === null) return '–';
  if (needs.seconds === null) return `${needs.requests.toLocaleString('en-US')} requests`;
  return `about ${formatDuration(1000 * needs.seconds)}`;
}

function row(cells: readonly string[]): string {
  return `  ${cells.map((cell, index) => pad(cell, COLUMNS[index] ?? 0)).join('')}`.trimEnd();
}

function verdictWord(verdict: Verdict): string {
  switch (verdict) {
    case 'safe':
      return colour.green(verdict);
    case 'undecided':
      return colour.dim(verdict);
    case 'breached':
      return colour.red(verdict);
  }
}
