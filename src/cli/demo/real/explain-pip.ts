/** What to do about a pip that failed, from what it said. */

interface Explanation {
  readonly problem: string;
  readonly nextStep: string;
}

const WITHOUT_REAL = '"sluice demo" without --real needs none of this';

/** Ordered: without a network pip ends with "no matching distribution" too, and so does a digest that differs. */
const EXPLANATIONS: readonly (readonly [RegExp, Explanation])[] = [
  [
    /DO NOT MATCH THE HASHES|hashes are required/i,
    {
      problem: 'a package is not the one that sluice was tested with (its sha256 differs) and was not installed',
      nextStep: 'look at the package index that pip is set to (pip config list)',
    },
  ],
  [
    /No space left on device|Disk quota exceeded/i,
    { problem: 'the disk is full', nextStep: 'free about 1 GB and run the command again' },
  ],
  [
    /NewConnectionError|Failed to establish a new connection|name resolution|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Max retries exceeded|Network is unreachable|Connection refused/i,
    {
      problem: 'pip could not reach its package index, from which 150 MB are needed once',
      nextStep: `check the network, or pip's index and proxy settings (pip config list), and run the command again; ${WITHOUT_REAL}`,
    },
  ],
  [
    /Permission denied|Read-only file system/i,
    { problem: 'pip may not write there', nextStep: 'run the command in a directory of your own' },
  ],
  [
    /No matching distribution|not a supported wheel/i,
    {
      problem: `there are no ready-made packages for ${process.platform} ${process.arch} with this Python`,
      nextStep: `use Python 3.10 to 3.14 on Linux (x64, arm64) or macOS 13 (arm64); ${WITHOUT_REAL}`,
    },
  ],
];

/** The problem in words and the next step, from pip's output. */
export function explainPip(output: string): Explanation {
  return (
    EXPLANATIONS.find(([pattern]) => pattern.test(output))?.[1] ?? {
      problem: 'pip could not install the packages',
      nextStep: `mend what it says and run the command again; ${WITHOUT_REAL}`,
    }
  );
}
