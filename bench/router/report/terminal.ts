import type { Table } from './tables.js';

/** A table in columns, its title above. */
export function terminalTable({ title, header, rows }: Table): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const lines = all.map((row) => row.map((text, column) => pad(text, widths[column] ?? 0, column)).join('  '));
  return `\n${title}\n${lines.map((text) => text.trimEnd()).join('\n')}`;
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}
