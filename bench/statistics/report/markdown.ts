import type { Block, Goal, Section } from './section.js';

export interface RunFacts {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  readonly effort: string;
}

/** The whole evidence page. */
export function evidencePage(facts: RunFacts, sections: readonly Section[]): string {
  const goals = sections.flatMap((section) => section.goals);
  const missed = goals.filter(({ passed }) => !passed).length;
  const parts = [
    '# Evidence: what the statistics do in simulation',
    'Written by `npm run bench:statistics`; do not edit. The method is in [statistics.md](../statistics.md).',
    table(
      ['run', ''],
      [
        ['command', `\`${facts.command}\``],
        ['date', facts.date],
        ['machine', facts.machine],
        ['effort', facts.effort],
        ['goals', `${goals.length - missed} reached, ${missed} missed`],
      ],
    ),
    'Seeds are fixed: the same command gives the same numbers, speed aside. A percentage in brackets is the exact ' +
      'one-sided 95 % upper limit (Clopper–Pearson) of the rate before it. All methods of a table saw the same requests.',
    ...sections.flatMap(({ title, blocks }) => [`## ${title}`, ...blocks.map(blockOf)]),
    '## Goals',
    goalTable(goals),
  ];
  return `${parts.join('\n\n')}\n`;
}

export function goalTable(goals: readonly Goal[]): string {
  return table(
    ['goal', 'reached', 'bar', ''],
    goals.map(({ claim, reached, bar, passed }) => [claim, reached, bar, passed ? 'yes' : '**missed**']),
  );
}

function blockOf(block: Block): string {
  switch (block.kind) {
    case 'text':
      return block.text;
    case 'table':
      return table(block.header, block.rows);
    case 'plot':
      return `![${block.alt}](${block.file})`;
  }
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
