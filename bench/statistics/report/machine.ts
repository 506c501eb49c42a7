import { availableParallelism, totalmem } from 'node:os';

/** What figures were measured on: `2 cores, 24 GB, linux x64, Node.js 20.20.2`. */
export function machine(): string {
  return (
    `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}, ` +
    `Node.js ${process.versions.node}`
  );
}
