/** Time as the router sees it. Tests move it by hand; nothing else in the router reads a clock. */
export interface Clock {
  /** Unix ms. */
  wallMs(): number;
  /** ms since an arbitrary moment, never going back. */
  monotonicMs(): number;
}

/**
 * The wall clock is read once and then counted on by the monotonic one, so that a step of the system's clock moves
 * neither an interval nor a lease while the process lives.
 */
export function systemClock(): Clock {
  const anchorWall = Date.now();
  const anchorMonotonic = performance.now();
  return {
    wallMs: () => anchorWall + (performance.now() - anchorMonotonic),
    monotonicMs: () => performance.now(),
  };
}
