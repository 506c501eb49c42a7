import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../src/cli/exit-codes.js';
import { renderStatus } from '../../src/cli/status-view.js';
import { statusFixture } from './status-fixture.js';

const NOW = Date.parse('2026-11-24T10:00:00Z');

function lines(status: Parameters<typeof renderStatus>[0]): string[] {
  return stripVTControlCharacters(renderStatus(status, NOW)).split('\n');
}

describe('renderStatus', () => {
  it('tells stage, split, guardrails with their interval, and gates', () => {
    const shown = lines(statusFixture());
    expect(shown[0]).toContain('support  running');
    expect(shown[1]).toContain('canary-5 (number 2) · ends in 6d');
    expect(shown[2]).toContain('stable 95% llama-31 · candidate 5% llama-32');
    expect(shown.find((line) => line.includes('error_rate'))).toMatch(
      /undecided\s+1%\s+1\.1%\s+\[0\.5, 2\.1]\s+0\.3\s+12\s+about 1m$/,
    );
    expect(shown).toContain('  closed  time: 6d left');
  });

  it('says when the state comes from the ledger', () => {
    expect(lines({ ...statusFixture(), from: 'ledger' })[0]).toContain('last known state, from the ledger');
  });

  it('names the members that a rollback waits for', () => {
    const shown = lines({ ...statusFixture(), state: 'rolling-back', outstanding: ['http://10.0.0.2:8701'] });
    expect(shown).toContain('  waiting for http://10.0.0.2:8701');
  });

  it('shows the outcome with its evidence', () => {
    const shown = lines({
      ...statusFixture(),
      state: 'rolled-back',
      outcome: {
        state: 'rolled-back',
        at: NOW,
        stage: statusFixture().stage.name,
        reason: 'error_rate',
        guardrails: ['error_rate'],
        evidence: 'errors 5% against 1%',
        by: 'sluice',
      },
    });
    expect(shown.slice(-2)).toEqual([
      '  outcome rolled-back at canary-5: error_rate',
      '          errors 5% against 1%',
    ]);
  });
});

it.each([
  ['running', 0],
  ['paused', 0],
  ['promoted', 0],
  ['rolled-back', 3],
  ['rolling-back', 3],
  ['held', 4],
  ['failed', 1],
] as const)('a rollout that is %s exits %d', (state, code) => {
  expect(exitCodeOf({ state })).toBe(code);
});
