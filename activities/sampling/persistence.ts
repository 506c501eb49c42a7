/** A problem counts when it lasts, and is over when it has stayed away: one lost packet is no outage. */

export interface Persistence {
  /** The problem stands, with its words as last seen. */
  readonly standing: string | null;
  readonly badPolls: number;
  readonly goodPolls: number;
}

/** Polls for which a problem is mended in silence. */
export const GRACE_POLLS = 3;

/** Polls without it after which it is over. */
const CALM_POLLS = 2;

/** @param standing the problem that the workflow knows of already, so that it is told once */
export function startPersistence(standing: string | null): Persistence {
  return { standing, badPolls: standing === null ? 0 : GRACE_POLLS + 1, goodPolls: 0 };
}

/** The state after a poll that saw `problem`, or nothing wrong. */
export function persist(state: Persistence, problem: string | null): Persistence {
  if (problem === null) {
    const goodPolls = state.goodPolls + 1;
    if (state.standing !== null && goodPolls < CALM_POLLS) return { ...state, goodPolls };
    return { standing: null, badPolls: 0, goodPolls };
  }
  const badPolls = state.badPolls + 1;
  const standing = state.standing !== null || badPolls > GRACE_POLLS ? problem : null;
  return { standing, badPolls, goodPolls: 0 };
}
