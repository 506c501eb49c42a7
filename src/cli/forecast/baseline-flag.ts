/** Baselines as people write them: `error_rate=1%,latency_p50=400ms,latency_p95=1.2s,feedback=15%@1%`. */
import { defaultShare } from '../../plan/forecast/baseline.js';
import type { Baseline, Baselines } from '../../plan/forecast/baseline.js';
import { SluiceError } from '../../plan/failures.js';
import { normalQuantile } from '../../plan/forecast/normal.js';
import { parseDuration } from '../../plan/duration.js';
import { parseShare } from '../../plan/share.js';
import type { Guardrail, GuardrailName, Plan } from '../../plan/types.js';

const PAIR = /^([a-z_0-9]+)=([^@]+?)(?:@(.+))?$/;

interface Written {
  readonly guardrail: Guardrail;
  readonly value: string;
  /** Share of the requests that count for it; null = not said. */
  readonly share: number | null;
}

/**
 * Reads NAME=VALUE[@SHARE], comma-separated: a percentage for a rate, a duration (or a number of tokens) for a quantile.
 * Two quantiles of one signal tell how its values spread; one alone keeps the default spread.
 * @throws SluiceError `plan-invalid` naming the part, its value and what is expected
 */
export function parseBaselines(text: string, plan: Plan): Baselines {
  const written = text.split(',').map((part) => writtenOf(part.trim(), plan));
  const baselines: Partial<Record<GuardrailName, Baseline>> = {};
  for (const { guardrail, value, share } of written) {
    switch (guardrail.kind) {
      case 'rate':
      case 'feedback':
        baselines[guardrail.name] = {
          kind: 'rate',
          rate: rateOf(guardrail, value),
          share: share ?? defaultShare(guardrail.name),
          origin: 'given',
        };
        break;
      case 'quantile':
      case 'cuts':
        Object.assign(baselines, spreadOf(guardrail, written, share ?? 1));
        break;
      case 'sample-ratio':
        throw refused(guardrail.name, value, 'needs no baseline; leave it out');
    }
  }
  return baselines;
}

function writtenOf(part: string, plan: Plan): Written {
  const [, name = '', value = '', share] = PAIR.exec(part) ?? [];
  const guardrail = plan.guardrails.find((one) => one.name === name);
  if (guardrail === undefined) {
    const names = plan.guardrails.map((one) => one.name).join(', ');
    throw new SluiceError(
      'plan-invalid',
      `--baseline has "${part}": write NAME=VALUE or NAME=VALUE@SHARE, with a guardrail of the plan (${names})`,
    );
  }
  if (share === undefined) return { guardrail, value: value.trim(), share: null };
  const parsed = parseShare(share);
  if (!parsed.ok || parsed.value === 0)
    throw refused(name, `…@${share}`, 'has no share of requests such as @1% behind it');
  return { guardrail, value: value.trim(), share: parsed.value };
}

function rateOf(guardrail: Guardrail, value: string): number {
  const parsed = parseShare(value);
  if (!parsed.ok) throw refused(guardrail.name, value, parsed.why);
  if (parsed.value === 1) throw refused(guardrail.name, value, 'a rate at which nothing can get worse');
  return parsed.value;
}

/** The spread that the quantiles given of one signal agree on. */
function spreadOf(guardrail: Guardrail, written: readonly Written[], share: number): Baselines {
  if (guardrail.kind === 'cuts')
    throw refused(guardrail.name, 'a value', 'its spread cannot be told from one value; leave it out');
  if (guardrail.kind !== 'quantile') return {};
  const points = written.flatMap((one) => {
    if (one.guardrail.kind !== 'quantile' || one.guardrail.signal !== guardrail.signal) return [];
    return [{ quantile: one.guardrail.quantile, log: Math.log(milliseconds(one.guardrail.name, one.value)) }];
  });
  const [low, high] = points.toSorted((left, right) => left.quantile - right.quantile);
  if (low === undefined || high === undefined) return {};
  if (high.log <= low.log)
    throw refused(guardrail.name, 'not above the lower quantile', 'a higher quantile is a longer time');
  const logSd = (high.log - low.log) / (normalQuantile(high.quantile) - normalQuantile(low.quantile));
  return { [guardrail.name]: { kind: 'values', spread: { kind: 'lognormal', logSd }, share, origin: 'given' } };
}

function milliseconds(name: string, value: string): number {
  const parsed = parseDuration(value);
  if (!parsed.ok) throw refused(name, value, parsed.why);
  if (parsed.value === 0) throw refused(name, value, 'a time above 0');
  return parsed.value;
}

function refused(name: string, value: string, why: string): SluiceError {
  return new SluiceError('plan-invalid', `--baseline ${name} is ${value}: ${why}`);
}
