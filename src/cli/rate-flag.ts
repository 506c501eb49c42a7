import { InvalidArgumentError } from 'commander';

const UNIT_SECONDS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
]);

/** `20/s`, `300/m`, `1000000/d`: requests per second, above 0. */
export function parseRate(value: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\/([smhd])$/.exec(value.trim()) ?? [];
  const seconds = UNIT_SECONDS.get(unit ?? '');
  if (count === undefined || seconds === undefined || Number(count) === 0) {
    throw new InvalidArgumentError('not a rate such as 20/s, 300/m or 1000000/d');
  }
  return Number(count) / seconds;
}
