import { lookup } from 'node:dns/promises';
import { request } from 'undici';
import { z } from 'zod';
import type { FleetEntry } from '../plan/config.js';
import { errorText } from './log.js';
import type { Log } from './log.js';

const ASK_TIMEOUT_MS = 2_000;

/** What is read of a member's view; more may stand in it. */
const viewSchema = z.object({ process: z.string(), split: z.object({ generation: z.number() }) });

export interface FleetQuestion {
  readonly fleet: readonly FleetEntry[];
  readonly env: NodeJS.ProcessEnv;
  /** This process, which is usually a member itself. */
  readonly process: string;
  readonly log: Log;
}

/** A member that holds a split of a route which this router has never seen one for. */
export interface HigherMember {
  readonly address: string;
  readonly generation: number;
}

/**
 * Asks the other members of the fleet for a route's split; null when none of those that answer was ever written to.
 * A member that cannot be reached says nothing: a whole fleet may be starting at once.
 */
export async function memberWithSplit(route: string, question: FleetQuestion): Promise<HigherMember | null> {
  const addresses = await Promise.all(question.fleet.map((entry) => addressesOf(entry, question)));
  const answers = await Promise.all(addresses.flat().map((member) => ask(route, member, question)));
  const holding = answers.filter((answer) => answer !== null && answer.generation > 0);
  return holding[0] ?? null;
}

interface MemberAddress {
  readonly address: string;
  readonly token: string;
}

async function addressesOf(entry: FleetEntry, { env, log }: FleetQuestion): Promise<readonly MemberAddress[]> {
  const token = env[entry.tokenEnv] ?? '';
  if (entry.kind === 'address') return [{ address: entry.admin, token }];
  try {
    const found = await lookup(entry.name, { all: true });
    return found.map(({ address, family }) => ({
      address: `http://${family === 6 ? `[${address}]` : address}:${entry.port}`,
      token,
    }));
  } catch (error) {
    log({ level: 'warn', event: 'fleet-unresolved', message: `fleet member ${entry.name}: ${errorText(error)}` });
    return [];
  }
}

async function ask(
  route: string,
  member: MemberAddress,
  { process, log }: FleetQuestion,
): Promise<HigherMember | null> {
  try {
    const { statusCode, body } = await request(`${member.address}/admin/v1/routes/${encodeURIComponent(route)}/split`, {
      headers: { authorization: `Bearer ${member.token}` },
      signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
    });
    const answer: unknown = await body.json();
    const view = viewSchema.safeParse(answer);
    if (statusCode !== 200 || !view.success) {
      log({
        level: 'warn',
        event: 'fleet-answer',
        message: `fleet member ${member.address} answered ${statusCode}`,
        route,
      });
      return null;
    }
    return view.data.process === process ? null : { address: member.address, generation: view.data.split.generation };
  } catch (error) {
    log({
      level: 'info',
      event: 'fleet-unreachable',
      message: `fleet member ${member.address}: ${errorText(error)}`,
      route,
    });
    return null;
  }
}
