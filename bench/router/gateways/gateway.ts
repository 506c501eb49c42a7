import type { Pinning } from '../machine/pinning.js';

/** Where the two upstreams listen. */
export interface UpstreamPorts {
  readonly stable: number;
  readonly candidate: number;
}

export interface StartContext {
  readonly upstreams: UpstreamPorts;
  readonly pinning: Pinning;
}

/** Something that the load generator can be pointed at. */
export interface Target {
  /** In the results: `sluice`, `nginx`, … */
  readonly name: string;
  readonly title: string;
  readonly port: number;
  /** Its `model`, and headers that it needs beside those of every request. */
  readonly model: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What answers for its cost; null = nothing between client and upstream. */
  readonly process: number | null;
}

/** A server that runs, with one target or more. */
export interface Running {
  readonly targets: readonly Target[];
  stop(): Promise<void>;
}

export interface Gateway {
  readonly name: string;
  readonly title: string;
  /** null = not installed. */
  version(): string | null;
  start(context: StartContext): Promise<Running>;
}
