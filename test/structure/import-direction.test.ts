import { describe, expect, it } from 'vitest';
import { filesBelow, importsOf, parseImports, reachableFrom } from './imports.js';

// The lint rules see one import at a time; these tests follow them, and see through any way of writing a path.

describe('parseImports', () => {
  it('tells what the compiler erases from what is loaded', () => {
    const text = [
      "import type { A } from './a.js';",
      "import { type B } from './b.js';",
      "import type from './c.js';",
      'import {',
      '  d,',
      "} from './d.js';",
      "export type { E } from './e.js';",
      "export * from './f.js';",
      "import './g.js';",
      "const h = await import('./h.js');",
      "// import { i } from './i.js';",
    ].join('\n');
    expect(parseImports(text).map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? ' type' : ''}`)).toEqual([
      './a.js type',
      './b.js',
      './c.js',
      './d.js',
      './e.js type',
      './f.js',
      './g.js',
      './h.js',
    ]);
  });
});

describe('import direction', () => {
  it('lets the workflow bundle reach nothing but the workflow SDK, workflows and src/plan', () => {
    const forbidden = [...reachableFrom(filesBelow('workflows'))]
      .filter(([target]) => target !== '@temporalio/workflow' && !/^(workflows|src\/plan)\//.test(target))
      .map(([, chain]) => chain.join(' → '));
    expect(forbidden).toEqual([]);
  });

  it('keeps the statistics pure', () => {
    const forbidden = [...reachableFrom(filesBelow('src/statistics'))]
      .filter(([target]) => !target.startsWith('src/statistics/'))
      .map(([, chain]) => chain.join(' → '));
    expect(forbidden).toEqual([]);
  });

  // Types count here too: a type that points back is a boundary drawn in the wrong place.
  it.each([
    ['workflows', /^(activities|src\/(plan|evidence))\/|^workflows\/|^@temporalio\/(workflow|common)$/],
    ['src/statistics', /^src\/(statistics|plan|evidence)\//],
  ])('lets %s name nothing but what the design allows', (directory, allowed) => {
    expect(violations(directory, (target) => !allowed.test(target))).toEqual([]);
  });

  it.each(['src/plan', 'src/evidence', 'src/ledger', 'src/statistics'])('never lets %s point back', (directory) => {
    expect(
      violations(directory, (target) => /^(activities|workflows|src\/(cli|console|router))\//.test(target)),
    ).toEqual([]);
  });

  it('lets activities name only types of workflows', () => {
    const loaded = filesBelow('activities').flatMap((file) =>
      importsOf(file)
        .filter(({ target, typeOnly }) => target.startsWith('workflows/') && !typeOnly)
        .map(({ target }) => `${file} → ${target}`),
    );
    expect(loaded).toEqual([]);
  });

  it('lets nothing but the command itself import src/cli', () => {
    const others = ['src', 'workflows', 'activities', 'examples', 'bench'].flatMap((directory) =>
      violations(directory, (target) => target.startsWith('src/cli/')).filter((line) => !line.startsWith('src/cli/')),
    );
    // bench/rollback drives the embedded stack from outside, as the tests do.
    expect(others.filter((line) => !line.startsWith('bench/rollback/'))).toEqual([]);
  });
});

function violations(directory: string, isForbidden: (target: string) => boolean): string[] {
  return filesBelow(directory).flatMap((file) =>
    importsOf(file)
      .filter(({ target }) => isForbidden(target))
      .map(({ target }) => `${file} → ${target}`),
  );
}
