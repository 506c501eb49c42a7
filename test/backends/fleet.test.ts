import { describe, expect, it } from 'vitest';
import { joinMembers, resolveFleet } from '../../src/backends/fleet.js';

const dns = { kind: 'dns', name: 'routers.internal', port: 8701, tokenEnv: 'TOKEN' } as const;

describe('resolveFleet', () => {
  it('makes one member of each A and AAAA record', async () => {
    const lookup = await resolveFleet([dns], async () => [
      { address: '10.0.0.2', family: 4 },
      { address: '10.0.0.1', family: 4 },
      { address: 'fd00::7', family: 6 },
    ]);
    expect(lookup.members.map((member) => member.address)).toEqual([
      'http://10.0.0.1:8701',
      'http://10.0.0.2:8701',
      'http://[fd00::7]:8701',
    ]);
    expect(lookup.failed).toEqual([]);
  });

  it('takes an address as it is, once, with or without a slash at its end', async () => {
    const lookup = await resolveFleet([
      { kind: 'address', admin: 'http://127.0.0.1:8701/', tokenEnv: 'TOKEN' },
      { kind: 'address', admin: 'http://127.0.0.1:8701', tokenEnv: 'OTHER' },
    ]);
    expect(lookup.members).toEqual([{ address: 'http://127.0.0.1:8701', tokenEnv: 'TOKEN' }]);
  });

  it('says which name did not resolve instead of taking the fleet for smaller', async () => {
    const lookup = await resolveFleet([dns], () => Promise.reject(new Error('getaddrinfo ENOTFOUND routers.internal')));
    expect(lookup).toEqual({
      members: [],
      failed: [{ name: 'routers.internal', reason: 'getaddrinfo ENOTFOUND routers.internal' }],
    });
  });

  it('resolves names of the hosts file too', async () => {
    const lookup = await resolveFleet([{ kind: 'dns', name: 'localhost', port: 9, tokenEnv: 'TOKEN' }]);
    expect(lookup.members.map((member) => member.address)).toContain('http://127.0.0.1:9');
  });
});

it('joins members by address', () => {
  const a = { address: 'http://a', tokenEnv: 'ONE' };
  const b = { address: 'http://b', tokenEnv: 'ONE' };
  expect(joinMembers([b], [a, { address: 'http://b', tokenEnv: 'TWO' }])).toEqual([a, b]);
});
