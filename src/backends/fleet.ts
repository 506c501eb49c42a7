/** From `fleet` of sluice.yaml to the members themselves. */
import { lookup } from 'node:dns/promises';
import type { FleetEntry } from '../plan/config.js';
import { SluiceError } from '../plan/failures.js';
import type { Member } from './traffic-backend.js';

/** All addresses of a name, A and AAAA. */
export type ResolveName = (name: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** Through the system's resolver, so that hosts files and container networks count. */
export const systemResolve: ResolveName = (name) => lookup(name, { all: true, verbatim: true });

export interface FleetLookup {
  readonly members: readonly Member[];
  /** Names that did not resolve, with the reason: a fleet that cannot be seen whole is no empty fleet. */
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Resolves each entry of the fleet: an address is itself, a name is one member per A and AAAA record.
 * Members are in order of address and each is there once.
 */
export async function resolveFleet(
  fleet: readonly FleetEntry[],
  resolve: ResolveName = systemResolve,
): Promise<FleetLookup> {
  const members = new Map<string, Member>();
  const failed: { name: string; reason: string }[] = [];
  await Promise.all(
    fleet.map(async (entry) => {
      switch (entry.kind) {
        case 'address':
          add(members, { address: canonical(entry.admin), tokenEnv: entry.tokenEnv });
          return;
        case 'dns':
          try {
            const records = await resolve(entry.name);
            if (records.length === 0) failed.push({ name: entry.name, reason: 'it has no A or AAAA record' });
            for (const record of records) {
              add(members, { address: addressOf(record, entry.port), tokenEnv: entry.tokenEnv });
            }
          } catch (error) {
            failed.push({ name: entry.name, reason: error instanceof Error ? error.message : 'unknown reason' });
          }
      }
    }),
  );
  return { members: inOrder(members), failed };
}

/** Union by address; the first mention of an address wins. */
export function joinMembers(...lists: readonly (readonly Member[])[]): readonly Member[] {
  const members = new Map<string, Member>();
  for (const list of lists) for (const member of list) add(members, member);
  return inOrder(members);
}

/** The failure of a fleet without a single member. */
export function emptyFleet(lookup: FleetLookup): SluiceError {
  const first = lookup.failed[0];
  return first === undefined
    ? new SluiceError('config-invalid', 'fleet in sluice.yaml is empty: add the admin address of each router')
    : new SluiceError(
        'router-unreachable',
        `fleet name "${first.name}" in sluice.yaml does not resolve: ${first.reason}; check the name and the resolver of this machine`,
      );
}

function add(members: Map<string, Member>, member: Member): void {
  if (!members.has(member.address)) members.set(member.address, member);
}

function inOrder(members: ReadonlyMap<string, Member>): readonly Member[] {
  return [...members.values()].toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}

function addressOf(record: { readonly address: string; readonly family: number }, port: number): string {
  return record.family === 6 ? `http://[${record.address}]:${port}` : `http://${record.address}:${port}`;
}

function canonical(address: string): string {
  return address.endsWith('/') ? address.slice(0, -1) : address;
}
