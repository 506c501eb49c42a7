import { colour, pad } from '../format.js';
import { guardrailTable } from '../guardrail-table.js';
import type { Analysis, AnalyzedStage } from './analyze-lines.js';

/** An analysis for people: what it comes to, stage by stage, and the guardrails of the last one. */
export function renderAnalysis(analysis: Analysis): string {
  return [headline(analysis), ...analysis.stages.map(stageLine), ...guardrailTable(analysis.guardrails)].join('\n');
}

function headline({ action, firstBreach }: Analysis): string {
  if (firstBreach === null) return `${colour.green('none')}  no guardrail is breached`;
  const { guardrail, stage, at, requests } = firstBreach;
  const word = action === 'rollback' ? colour.red(action) : colour.yellow(action);
  const after = `${requests.toLocaleString('en-US')} requests of the candidate`;
  return `${word}  ${guardrail} is breached in ${stage} at ${at}, after ${after}`;
}

function stageLine({ stage, from, to, requests, promote, ab }: AnalyzedStage): string {
  const counts = `${requests.stable.toLocaleString('en-US')} stable, ${requests.candidate.toLocaleString('en-US')} candidate`;
  const gates = promote.open
    ? colour.green(ab === undefined ? 'evidence for promotion is in' : `decided: ${ab.why}`)
    : `${ab === undefined ? 'promotion' : 'its end'} waits for ${promote.waiting.map(({ guardrail }) => guardrail).join(', ')}`;
  return `  ${pad(stage, 14)}${from} … ${to}  ${pad(counts, 36)}${gates}`;
}
