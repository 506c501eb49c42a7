import { describe, expect, it } from 'vitest';
import { hardStop } from '../../../src/statistics/assessment/hard-stop.js';

type Starts = readonly [failed: number, started: number];

function member(candidate: Starts, stable: Starts) {
  return {
    candidate: { failed: candidate[0], started: candidate[1] },
    stable: { failed: stable[0], started: stable[1] },
  };
}

describe('hardStop', () => {
  it.each<[string, Starts, Starts, string]>([
    ['nothing has started', [0, 0], [0, 0], 'none'],
    ['all is well', [0, 100], [1, 900], 'none'],
    ['the candidate fails outright', [10, 20], [0, 380], 'hard-stop'],
    ['one start too few', [19, 19], [0, 380], 'none'],
    ['one failure too few', [9, 20], [0, 380], 'none'],
    ['exactly five times stable', [10, 20], [38, 380], 'hard-stop'],
    ['a little under five times stable', [10, 20], [39, 380], 'none'],
    ['no concurrent stable at all', [20, 20], [0, 0], 'hard-stop'],
    ['both fail outright', [20, 20], [380, 380], 'source-down'],
    ['stable fails half', [20, 20], [190, 380], 'source-down'],
    ['stable fails less than half', [12, 20], [60, 380], 'none'],
    ['a few mirrored starts of stable fail as well', [60, 60], [3, 4], 'source-down'],
    ['stable fails while the candidate has too few starts', [4, 4], [200, 380], 'source-down'],
    ['few starts of stable fail beside a healthy candidate', [0, 60], [4, 4], 'none'],
  ])('%s', (_, candidate, stable, kind) => {
    expect(hardStop([member(candidate, stable)]).kind).toBe(kind);
  });

  it('sums over members and says what it saw', () => {
    const members = [member([6, 10], [0, 90]), member([5, 12], [1, 100]), member([0, 0], [0, 0])];
    expect(hardStop(members)).toEqual({
      kind: 'hard-stop',
      starts: { candidate: { started: 22, failed: 11 }, stable: { started: 190, failed: 1 } },
    });
  });
});
