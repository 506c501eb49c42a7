import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Numbers of the page's sections: `## 3. One table` and `### 3.7 No events at all`. */
function sections(): ReadonlySet<string> {
  const page = readFileSync(join(root, 'docs/statistics.md'), 'utf8');
  return new Set([...page.matchAll(/^#{2,3} (\d+(?:\.\d+)?)/gm)].map(([, number = '']) => number));
}

/** Every "§x" of the code under a directory, with the file that it stands in. */
function references(directory: string): readonly { readonly file: string; readonly section: string }[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const code = readFileSync(join(root, directory, file), 'utf8');
      return [...code.matchAll(/§(\d+(?:\.\d+)?)/g)].map(([, section = '']) => ({ file, section }));
    });
}

describe('the method page', () => {
  it.each(['src/statistics', 'bench/statistics'])('has every section that %s cites', (directory) => {
    const cited = references(directory);
    const known = sections();
    expect(cited.length).toBeGreaterThan(0);
    expect(cited.filter(({ section }) => !known.has(section))).toEqual([]);
  });

  it('has the twelve sections of the method', () => {
    const known = sections();
    expect(Array.from({ length: 12 }, (_, index) => String(index + 1)).filter((number) => !known.has(number))).toEqual(
      [],
    );
  });
});
