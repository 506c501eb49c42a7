/** What a plot is drawn with; it follows the reader's light or dark theme. */
const STYLE = [
  'text { font: 12px system-ui, sans-serif; fill: #24292f; }',
  '.title { font-weight: 600; font-size: 14px; }',
  '.small { font-size: 11px; }',
  '.grid { stroke: #d0d7de; stroke-width: 1; }',
  '.axis { stroke: #57606a; stroke-width: 1; }',
  '.bar { stroke: #d1242f; stroke-width: 1.5; stroke-dasharray: 5 4; }',
  '.back { fill: #ffffff; }',
  '@media (prefers-color-scheme: dark) {',
  '  text { fill: #e6edf3; } .grid { stroke: #30363d; } .axis { stroke: #8b949e; } .back { fill: #0d1117; }',
  '  .bar { stroke: #ff7b72; }',
  '}',
].join('\n');

/** Colours that stay apart for people who see fewer of them (Okabe and Ito). */
export const COLOURS = {
  blue: '#0072b2',
  orange: '#e69f00',
  sky: '#56b4e9',
  green: '#009e73',
  pink: '#cc79a7',
  red: '#d55e00',
  grey: '#8c959f',
} as const;

export function document(width: number, height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="back" width="${width}" height="${height}" rx="6"/>`,
    text(16, 24, title, { className: 'title' }),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

export interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly className?: string;
}

export function text(x: number, y: number, content: string, { anchor = 'start', className }: TextStyle = {}): string {
  const attributes = className === undefined ? '' : ` class="${className}"`;
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${attributes}>${escape(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return `<line class="${className}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

export function rectangle(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}"/>`;
}

/** A legend in rows below the title; returns its parts and the height that it takes. */
export function legend(
  entries: readonly { readonly name: string; readonly colour: string }[],
  width: number,
): { readonly parts: readonly string[]; readonly height: number } {
  const parts: string[] = [];
  let x = 16;
  let y = 44;
  for (const { name, colour } of entries) {
    const needed = 34 + 6.2 * name.length;
    if (x + needed > width - 8) {
      x = 16;
      y += 18;
    }
    parts.push(rectangle(x, y - 9, 12, 10, colour), text(x + 17, y, name, { className: 'small' }));
    x += needed;
  }
  return { parts, height: y + 12 };
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
