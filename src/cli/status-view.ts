/** The live view of a rollout: stage, split, guardrails with their intervals, gates. Text in, text out. */
import type { RolloutStateName, RolloutStatus } from '../plan/status.js';
import { colour, formatDuration, formatShare } from './format.js';
import { guardrailTable } from './guardrail-table.js';

/** Several lines without a newline at the end; `now` in Unix ms. */
export function renderStatus(status: RolloutStatus, now: number): string {
  return [
    headline(status),
    ...stageLines(status, now),
    ...guardrailLines(status),
    ...abLines(status),
    ...gateLines(status),
    ...endLines(status),
  ].join('\n');
}

function headline(status: RolloutStatus): string {
  const evidence = status.evidence === 'ok' ? '' : `  ${colour.yellow(`evidence: ${status.evidence}`)}`;
  const origin =
    status.from === 'ledger' ? `  ${colour.yellow('last known state, from the ledger: no worker answered')}` : '';
  return `${colour.bold(status.route)}  ${stateWord(status.state)}${evidence}${origin}  ${colour.dim(status.rollout)}`;
}

function stateWord(state: RolloutStateName): string {
  switch (state) {
    case 'running':
      return colour.cyan(state);
    case 'promoted':
      return colour.green(state);
    case 'paused':
    case 'held':
      return colour.yellow(state);
    case 'rolling-back':
    case 'rolled-back':
    case 'cancelled':
    case 'failed':
      return colour.red(state);
  }
}

function stageLines(status: RolloutStatus, now: number): string[] {
  const { stage, split } = status;
  const ends =
    stage.endsAt === null
      ? 'clock stands still'
      : stage.endsAt > now
        ? `ends in ${formatDuration(stage.endsAt - now)}`
        : 'time is over';
  const mirror =
    split.mirror.share > 0 ? ` · ${formatShare(split.mirror.share)} mirrored to ${split.mirror.variant}` : '';
  const candidate =
    split.upstreams.candidate === null
      ? ''
      : ` · candidate ${formatShare(split.weights.candidate)} ${split.upstreams.candidate}`;
  return [
    `  stage   ${colour.bold(stage.name)} (number ${String(stage.index + 1)}) · ${ends}`,
    `  split   stable ${formatShare(split.weights.stable)} ${split.upstreams.stable}${candidate}${mirror} · generation ${String(split.generation)}`,
  ];
}

function guardrailLines(status: RolloutStatus): string[] {
  const table = guardrailTable(status.guardrails);
  return table.length > 0
    ? table
    : [`  ${colour.dim('no look yet: guardrails follow with the first closed intervals')}`];
}

/** What an ab stage has found by its last look. */
function abLines({ ab = null }: RolloutStatus): string[] {
  return ab === null ? [] : [`  ${colour.cyan('A/B')}     ${ab.why}`];
}

function gateLines(status: RolloutStatus): string[] {
  return status.gates.map(
    (gate) => `  ${gate.open ? colour.green('open  ') : colour.dim('closed')}  ${gate.kind}: ${gate.why}`,
  );
}

function endLines(status: RolloutStatus): string[] {
  const lines = status.flags.map((flag) => `  ${colour.yellow('flag')}    ${flag}`);
  if (status.hold !== null) lines.push(`  ${colour.yellow('held')}    ${status.hold.reason}`);
  if (status.outstanding.length > 0) lines.push(`  ${colour.red('waiting for')} ${status.outstanding.join(', ')}`);
  const last = status.decisions.at(-1);
  if (last !== undefined)
    lines.push(`  ${colour.dim(`last    ${last.action} of ${last.stage} by ${last.by}: ${last.reason}`)}`);
  if (status.outcome !== null) {
    lines.push(`  outcome ${stateWord(status.outcome.state)} at ${status.outcome.stage}: ${status.outcome.reason}`);
    if (status.outcome.evidence !== null) lines.push(`          ${status.outcome.evidence}`);
  }
  return lines;
}
