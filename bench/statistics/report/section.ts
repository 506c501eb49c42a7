/** A part of the evidence page, as data: what is written, drawn and checked. */
export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
  readonly goals: readonly Goal[];
}

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'table'; readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'plot'; readonly file: string; readonly alt: string; readonly svg: string };

/** One bar that the bench holds sluice to. */
export interface Goal {
  readonly claim: string;
  readonly reached: string;
  readonly bar: string;
  readonly passed: boolean;
}

export function atMost(claim: string, value: number, bar: number, show: (value: number) => string): Goal {
  return { claim, reached: show(value), bar: `≤ ${show(bar)}`, passed: value <= bar };
}

export function atLeast(claim: string, value: number, bar: number, show: (value: number) => string): Goal {
  return { claim, reached: show(value), bar: `≥ ${show(bar)}`, passed: value >= bar };
}
