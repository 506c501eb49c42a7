import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/plan/failures.js';
import { describeTarget, resolveTemporalTarget } from '../../src/temporal/target.js';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-target-'));
  file = join(directory, 'temporal.toml');
  writeFileSync(
    file,
    [
      '[profile.default]',
      'address = "profile.example:7233"',
      'namespace = "from-profile"',
      '[profile.cloud]',
      'address = "cloud.example:7233"',
      'api_key = "very-secret-key"',
    ].join('\n'),
  );
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const up = { address: '127.0.0.1:9911', namespace: 'from-up' };

describe('resolveTemporalTarget', () => {
  it('takes the flag before everything', () => {
    const target = resolveTemporalTarget({
      options: { address: 'flag.example:1', namespace: 'from-flag' },
      env: { TEMPORAL_ADDRESS: 'env.example:2', TEMPORAL_NAMESPACE: 'from-env', TEMPORAL_CONFIG_FILE: file },
      up,
    });
    expect(target).toMatchObject({ address: 'flag.example:1', namespace: 'from-flag', origin: 'flag --address' });
  });

  it('takes the environment before the profile', () => {
    const target = resolveTemporalTarget({
      env: { TEMPORAL_ADDRESS: 'env.example:2', TEMPORAL_CONFIG_FILE: file },
      up,
    });
    expect(target).toMatchObject({ address: 'env.example:2', namespace: 'from-profile', origin: 'TEMPORAL_ADDRESS' });
  });

  it('takes the profile before a running sluice up', () => {
    const target = resolveTemporalTarget({ env: { TEMPORAL_CONFIG_FILE: file }, up });
    expect(target).toMatchObject({ address: 'profile.example:7233', namespace: 'from-profile', origin: 'profile' });
  });

  it('finds a running sluice up where nothing is configured', () => {
    const target = resolveTemporalTarget({ env: { TEMPORAL_CONFIG_FILE: join(directory, 'none.toml') }, up });
    expect(target).toMatchObject({ ...up, origin: '.sluice/up.json' });
  });

  it('keeps the namespace of the environment with the address of a running sluice up', () => {
    const target = resolveTemporalTarget({
      env: { TEMPORAL_CONFIG_FILE: join(directory, 'none.toml'), TEMPORAL_NAMESPACE: 'mine' },
      up,
    });
    expect(target).toMatchObject({ address: up.address, namespace: 'mine' });
  });

  it('falls back to the local default', () => {
    const target = resolveTemporalTarget({ env: { TEMPORAL_CONFIG_FILE: join(directory, 'none.toml') } });
    expect(target).toMatchObject({ address: '127.0.0.1:7233', namespace: 'default', origin: 'default' });
  });

  it('turns on TLS for a profile with a key, and never prints the key', () => {
    const target = resolveTemporalTarget({ options: { profile: 'cloud', configFile: file }, env: {} });
    expect(target.connection).toMatchObject({ apiKey: 'very-secret-key', tls: true });
    expect(describeTarget(target)).toBe('cloud.example:7233 (from profile), namespace default');
  });

  it.each([
    ['a profile that is not there', { options: { profile: 'absent' }, env: {} }, 'absent'],
    [
      'a file that is not there',
      { options: { configFile: '/nowhere/temporal.toml' }, env: {} },
      '/nowhere/temporal.toml',
    ],
    [
      'verification that cannot be turned off',
      { env: { TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: 'true' } },
      'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION',
    ],
  ])('refuses %s', (_what, sources, named) => {
    const attempt = (): unknown =>
      resolveTemporalTarget({ ...sources, env: { TEMPORAL_CONFIG_FILE: file, ...sources.env } });
    expect(attempt).toThrow(SluiceError);
    expect(attempt).toThrow(named);
  });
});
