#!/usr/bin/env node
// The command. In a checkout it sets up and builds what is missing or stale first; an installed package has no src.
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`sluice: Node.js ${process.versions.node} is too old: sluice needs 20.19 or later.\n`);
  process.exit(1);
}

if (existsSync(new URL('../src', import.meta.url))) {
  const { prepareCheckout } = await import('../scripts/prepare-checkout.mjs');
  if (!(await prepareCheckout())) process.exit(1);
}

// Named at run time only: it does not exist before the first build.
const main = new URL('../dist/src/cli/main.js', import.meta.url);
await import(main.href);
