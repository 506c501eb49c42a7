import { describe, expect, it } from 'vitest';
import { parseSource } from '../../src/plan/document.js';
import { freezePlan } from '../../src/plan/freeze.js';
import { upstreamName } from '../../src/plan/ids.js';
import { config, context, errorOf, problemsWith } from './context.js';

function errorOfText(text: string): ReturnType<typeof errorOf> {
  return errorOf(() => {
    const source = parseSource(text, 'support.yaml', 'plan-invalid');
    return freezePlan(source.value, { ...context, ...source });
  });
}

describe('errors of a plan', () => {
  it.each<[object, string]>([
    [
      { stages: [{ kind: 'canary', share: '150%', for: '7d' }] },
      'stages[0].share is "150%": above 100%. Write a share from 0% to 100%, such as "5%"',
    ],
    [
      { stages: [{ kind: 'canary', share: 5, for: '7d' }] },
      'stages[0].share is 5: a share needs a percent sign. Write "5%"',
    ],
    [
      { stages: [{ kind: 'canary', share: '5%', for: 7 }] },
      'stages[0].for is 7: a duration needs a unit. Write "7s", "7m", "7h" or "7d"',
    ],
    [
      { stages: [{ kind: 'canary', share: '5%', for: '7' }] },
      'stages[0].for is "7": a duration needs a unit. Write "7s", "7m", "7h" or "7d"',
    ],
    [
      { stages: [{ kind: 'canary', share: '5%', for: '7d', duration: '7d' }] },
      'stages[0].duration: unknown key. A stage\'s time is "for"',
    ],
    [{ stages: [] }, 'stages is a list: empty. Write at least one stage'],
    [{ stages: 'five-weeks' }, 'stages is "five-weeks": no preset. Did you mean "five-week"?'],
    [
      { stages: 5 },
      'stages is 5: neither a preset nor a list of stages. Write "five-week", or a list such as [{ kind: canary, share: 5%, for: 7d }]',
    ],
    [{ stagse: 'five-week' }, 'stagse: unknown key. Did you mean "stages"?'],
    [{ preset: 'five-week' }, 'preset: unknown key. A preset goes to "stages", such as stages: five-week'],
    [
      { url: 'http://elsewhere' },
      'url: unknown key. Use one of "route", "candidate", "stages", "defaults", "overrides", "guardrails", "falseRollback", "falseHold", "falseFlag", "falsePromote", "primary", "winner", "requestTimeout", "lease", "onLeaseExpiry", "feedback", "notify"',
    ],
    [{ defaults: { gate: 'manuel' } }, 'defaults.gate is "manuel": unknown. Did you mean "manual"?'],
    [{ defaults: { minRequests: 0 } }, 'defaults.minRequests is 0: not a whole number from 1 to 1000000000'],
    [{ defaults: { minRequests: 1.5 } }, 'defaults.minRequests is 1.5: not a whole number from 1 to 1000000000'],
    [{ falseRollback: '60%' }, 'falseRollback is "60%": too much. Write at most 50%'],
    [{ falseRollback: '0%' }, 'falseRollback is "0%": no share at all. Write more than 0%'],
    [{ lease: '100ms' }, 'lease is "100ms": too short. Write at least "1s"'],
    [{ requestTimeout: '2h' }, 'requestTimeout is "2h": too long. Write at most "1h"'],
    [{ onLeaseExpiry: 'candidate' }, 'onLeaseExpiry is "candidate": unknown. Use one of "stable", "keep"'],
    [{ notify: ['release'] }, 'notify[0] is "release": no webhook of sluice.yaml. Did you mean "releases"?'],
    [{ notify: 'release' }, 'notify is "release": no webhook of sluice.yaml. Did you mean "releases"?'],
    [
      { defaults: { checks: ['eval'] } },
      'defaults.checks[0] is "eval": no check of sluice.yaml. Did you mean "evals"?',
    ],
    [
      { overrides: { flip: { checks: ['rm'] } } },
      'overrides.flip.checks[0] is "rm": no check of sluice.yaml. Use "evals"',
    ],
    [{ candidate: 'llama-33' }, 'candidate is "llama-33": no upstream of sluice.yaml. Did you mean "llama-31"?'],
    [{ candidate: 'gpt' }, 'candidate is "gpt": no upstream of sluice.yaml. Use one of "llama-31", "llama-32"'],
    [
      { candidate: 'llama-31' },
      'candidate is "llama-31": the stable upstream of route support already. Use "llama-32"',
    ],
    [{ route: 'suport' }, 'route is "suport": no route of sluice.yaml. Did you mean "support"?'],
    [
      { route: 'a b' },
      'route is "a b": not a name. Use 1 to 120 letters, digits and . _ : / - , starting with a letter or digit',
    ],
  ])('%j', (keys, problem) => {
    expect(problemsWith(keys)).toContain(problem);
  });

  it.each<[object, string]>([
    [{ route: 'suport' }, 'route-unknown'],
    [{ candidate: 'llama-33' }, 'candidate-unknown'],
    [{ candidate: 'llama-31' }, 'plan-invalid'],
    [{ route: 'suport', candidate: 'llama-33' }, 'plan-invalid'],
    [{ falseRollback: '60%' }, 'plan-invalid'],
  ])('%j has the code %s', (keys, code) => {
    expect(errorOf(() => freezePlan({ route: 'support', candidate: 'llama-32', ...keys }, context)).code).toBe(code);
  });

  it('measures the candidate against the stable upstream of the ledger', () => {
    const error = errorOf(() =>
      freezePlan({ route: 'support', candidate: 'llama-32' }, { config, stable: upstreamName('llama-32') }),
    );
    expect(error.message).toBe('candidate is "llama-32": the stable upstream of route support already. Use "llama-31"');
  });

  it('needs to know what is stable', () => {
    const error = errorOf(() =>
      freezePlan({ route: 'support', candidate: 'llama-32' }, { config: null, stable: null }),
    );
    expect(error.code).toBe('route-unknown');
    expect(error.message).toBe(
      'route is "support": its stable upstream is not known without a sluice.yaml. Name the file with --config',
    );
  });

  it.each([[null], [3], ['support'], [[]]])('%j is no plan', (written) => {
    expect(errorOf(() => freezePlan(written, context)).message).toMatch(
      /^the document is .*: not a plan, such as \{ route: support, candidate: llama-32, stages: five-week \}$/,
    );
  });

  it('come all at once, with file, line and column', () => {
    const error = errorOfText(`route: suport
candidate: llama-33
stages:
  - { kind: shadow, for: 7 }
  - kind: canary
    share: 150%
    for: 7d
falseRolback: 5%
`);
    expect(error.code).toBe('plan-invalid');
    expect(error.message).toBe(`5 errors in the plan:
  support.yaml:4:21: stages[0].for is 7: a duration needs a unit. Write "7s", "7m", "7h" or "7d"
  support.yaml:6:5: stages[1].share is "150%": above 100%. Write a share from 0% to 100%, such as "5%"
  support.yaml:8:1: falseRolback: unknown key. Did you mean "falseRollback"?
  support.yaml:1:1: route is "suport": no route of sluice.yaml. Did you mean "support"?
  support.yaml:2:1: candidate is "llama-33": no upstream of sluice.yaml. Did you mean "llama-31"?`);
    expect(error.problems[1]).toEqual({
      path: 'stages[1].share',
      message: 'stages[1].share is "150%": above 100%. Write a share from 0% to 100%, such as "5%"',
      line: 6,
      column: 5,
    });
  });

  it('point at what is around something missing', () => {
    expect(errorOfText('route: support\nstages:\n  - kind: canary\n    share: 5%\n').message).toBe(
      'support.yaml:1:1: candidate is missing: write the name of an upstream of sluice.yaml',
    );
  });

  it('name the place of what is no YAML', () => {
    expect(errorOfText('route: support\ncandidate: [llama-32\n').message).toMatch(/^support\.yaml:3:1: not YAML: /);
    expect(errorOfText('route: support\nroute: support\n').message).toBe(
      'support.yaml:2:1: not YAML: Map keys must be unique',
    );
  });
});
