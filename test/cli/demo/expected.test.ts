import { describe, expect, it } from 'vitest';
import { isAsExpected } from '../../../src/cli/demo/expected.js';
import type { Ending } from '../../../src/cli/demo/expected.js';
import { guardrail } from '../../workflow/looks.js';

const ending: Ending = {
  outcome: 'rolled-back',
  stage: 'canary-25',
  guardrails: ['error_rate', 'feedback'],
  status: { guardrails: { tokens_per_response: guardrail({ verdict: 'breached', action: 'flag' }) } },
};

describe('a demo ends as expected', () => {
  it.each([
    [{ outcome: 'rolled-back' }, true],
    [{ outcome: 'promoted' }, false],
    [{ outcome: 'rolled-back', stage: 'canary-25' }, true],
    [{ outcome: 'rolled-back', stage: 'canary-50' }, false],
    [{ outcome: 'rolled-back', guardrail: 'feedback' }, true],
    [{ outcome: 'rolled-back', guardrail: 'latency_p95' }, false],
    [{ outcome: 'rolled-back', flagged: 'tokens_per_response' }, true],
    [{ outcome: 'rolled-back', flagged: 'refusal_rate' }, false],
    [{ outcome: 'rolled-back', quiet: 'cache_hit_rate' }, true],
    [{ outcome: 'rolled-back', quiet: 'tokens_per_response' }, false],
  ] as const)('%j: %s', (expected, is) => {
    expect(isAsExpected(expected, ending)).toBe(is);
  });
});
