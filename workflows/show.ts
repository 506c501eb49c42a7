/** What Temporal's Web UI tells by itself: a table in the current details, and search attributes where they are registered. */
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { GuardrailStatus } from '../src/evidence/look.js';
import type { RolloutStatus } from '../src/plan/status.js';
import type { Run } from './run.js';
import { statusOf } from './status.js';
import { percent, percentNumber, time } from './words.js';

/** Shows the state as it is now. The details tell of every rollout of the workflow, the search attributes of the first. */
export function show(run: Run): void {
  const story = run.siblings.map(({ state }) => details(statusOf(state), state.evidenceDetail));
  setCurrentDetails(story.join('\n'));
  if (!run.searchAttributes || run !== run.siblings[0]) return;
  const status = statusOf(run.state);
  // Each change is an event of the history: only what changed is set.
  const shown = JSON.stringify([status.stage.name, status.state, status.split.weights.candidate]);
  if (shown === run.shown) return;
  run.shown = shown;
  upsertSearchAttributes([
    { key: { name: 'SluiceRoute', type: 'KEYWORD' }, value: status.route },
    { key: { name: 'SluiceStage', type: 'KEYWORD' }, value: status.stage.name },
    { key: { name: 'SluiceState', type: 'KEYWORD' }, value: status.state },
    { key: { name: 'SluiceCandidate', type: 'KEYWORD' }, value: run.state.plan.candidate },
    { key: { name: 'SluiceCandidatePercent', type: 'DOUBLE' }, value: percentNumber(status.split.weights.candidate) },
  ]);
}

/** The rollout as Markdown. */
export function details(status: RolloutStatus, evidenceDetail: string): string {
  const { stage, split } = status;
  const closed = status.gates.filter((gate) => !gate.open);
  const rows = [
    ['state', status.hold === null ? status.state : `${status.state}: ${status.hold.reason}`],
    ['stage', `${stage.name} (${stage.index + 1}), ${stageTime(status)}`],
    ['split', splitLine(split)],
    ['evidence', evidenceDetail === '' ? status.evidence : `${status.evidence}: ${evidenceDetail}`],
    ...(status.ab === undefined || status.ab === null ? [] : [['A/B', status.ab.why]]),
    ['next gate', closed.length === 0 ? 'all open' : closed.map((gate) => `${gate.kind}: ${gate.why}`).join('; ')],
    ...(status.outstanding.length === 0 ? [] : [['not confirmed', status.outstanding.join(', ')]]),
    ...(status.outcome === null ? [] : [['outcome', `${status.outcome.state}: ${status.outcome.reason}`]]),
  ];
  const guardrails = Object.entries(status.guardrails);
  return [
    `**${status.rollout}**: ${split.upstreams.stable} → ${split.upstreams.candidate ?? '(nothing)'}`,
    '',
    ...table(['', ''], rows),
    ...(guardrails.length === 0
      ? []
      : [
          '',
          ...table(
            ['guardrail', 'verdict', 'odds ratio', 'stable', 'candidate', 'requests', 'why'],
            guardrails.map(([name, guardrail]) => guardrailRow(name, guardrail)),
          ),
        ]),
    ...(status.flags.length === 0 ? [] : ['', ...status.flags.map((text) => `- ${text}`)]),
    '',
  ].join('\n');
}

function stageTime({ stage }: RolloutStatus): string {
  if (stage.startedAt === null) return 'not begun';
  return `since ${time(stage.startedAt)}, ${stage.endsAt === null ? 'its clock stands still' : `its time ends ${time(stage.endsAt)}`}`;
}

function splitLine(split: RolloutStatus['split']): string {
  const mirror = split.mirror.share === 0 ? '' : `, ${percent(split.mirror.share)} mirrored to ${split.mirror.variant}`;
  return `${percent(split.weights.candidate)} candidate${mirror} (generation ${split.generation})`;
}

function guardrailRow(name: string, guardrail: GuardrailStatus): string[] {
  const [low, high] = guardrail.interval;
  return [
    name,
    guardrail.action === 'rollback' ? guardrail.verdict : `${guardrail.verdict} (${guardrail.action})`,
    `${number(low, '0')} to ${number(high, '∞')}`,
    number(guardrail.stable, '–'),
    number(guardrail.candidate, '–'),
    `${guardrail.n.stable} / ${guardrail.n.candidate}`,
    guardrail.why,
  ];
}

function number(value: number | null, none: string): string {
  return value === null ? none : String(Number(value.toPrecision(3)));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
