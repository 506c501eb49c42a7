import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';

const dependencies = z.record(z.string(), z.string());
const manifest = z
  .object({ dependencies, devDependencies: dependencies })
  .parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')));
const lock = z
  .object({ packages: z.record(z.string(), z.object({ version: z.string().optional() })) })
  .parse(JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')));

const isTemporal = (name: string): boolean => /(^|\/)@temporalio\/[^/]+$/.test(name);

// The SDK refuses, or worse misbehaves, when its packages are of different versions: a bundle and its worker above all.
it('asks for one exact version of every Temporal package', () => {
  const asked = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(([name]) =>
    isTemporal(name),
  );
  expect(asked.length).toBeGreaterThan(5);
  expect(new Set(asked.map(([, version]) => version))).toEqual(new Set([expect.stringMatching(/^\d+\.\d+\.\d+$/)]));
});

// Two copies do not know each other's types: histories can then neither be written as JSON nor replayed from it. A version of
// our own, at the top, is the one that all Temporal packages share.
it('installs one protobufjs for all of them', () => {
  const copies = Object.keys(lock.packages).filter((path) => /@temporalio\/.*\/protobufjs$/.test(path));
  expect(copies).toEqual([]);
  expect(manifest.dependencies['protobufjs']).toBe(lock.packages['node_modules/protobufjs']?.version);
});

it('installs that one version only, once each', () => {
  const installed = Object.entries(lock.packages).filter(([path]) => isTemporal(path));
  const names = installed.map(([path]) => path.slice(path.lastIndexOf('@temporalio/')));
  expect(names).toEqual([...new Set(names)]);
  expect(new Set(installed.map(([, { version }]) => version))).toEqual(
    new Set([manifest.dependencies['@temporalio/worker']]),
  );
});
