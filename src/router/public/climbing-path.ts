/** Escapes of what makes a segment climb, and of the escape itself: some servers decode twice. */
const ESCAPES: Readonly<Record<string, string>> = { '%2e': '.', '%2f': '/', '%5c': '\\', '%25': '%' };
/** No server is known to decode more often; each costs a pass over the path. */
const ROUNDS = 3;
const ESCAPE = /%(?:2e|2f|5c|25)/gi;

/**
 * True for a path that an upstream may resolve to something above the API that it was configured for: `..` in any
 * spelling, with the parameters that some servers strip (`..;a`). One bad escape elsewhere must not hide another.
 */
export function climbs(path: string): boolean {
  if (!path.includes('..') && !path.includes('%')) return false;
  let plain = path;
  for (let round = 0; round < ROUNDS; round += 1) {
    plain = plain.replace(ESCAPE, (escape) => ESCAPES[escape.toLowerCase()] ?? escape);
  }
  return plain.split(/[/\\]/).some((segment) => segment === '..' || segment.startsWith('..;'));
}
