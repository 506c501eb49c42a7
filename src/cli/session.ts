/** A command's connection to Temporal, with Temporal's own flags. */
import { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { connectClient } from '../temporal/connection.js';
import { describeTarget, resolveTemporalTarget, type TemporalTarget } from '../temporal/target.js';
import type { Io } from './io.js';
import { findUpFile } from './workspace.js';

export interface ConnectionFlags {
  readonly address?: string;
  readonly namespace?: string;
  readonly profile?: string;
  readonly configFile?: string;
  readonly apiKey?: string;
  readonly tls?: boolean;
  readonly tlsCertPath?: string;
  readonly tlsKeyPath?: string;
  readonly tlsCaPath?: string;
  readonly tlsServerName?: string;
}

export interface Session {
  readonly client: Client;
  /** Address, its origin and the namespace, for messages; no secrets. */
  readonly target: string;
  readonly namespace: string;
  close(): Promise<void>;
}

/** Adds Temporal's connection flags, under Temporal's own names. */
export function addConnectionFlags(command: Command): Command {
  return command
    .option('--address <host:port>', 'Temporal frontend (default: TEMPORAL_ADDRESS, the profile, a running sluice up)')
    .option('--namespace <name>', 'Temporal namespace')
    .option('--profile <name>', 'profile of the Temporal configuration')
    .option('--config-file <path>', 'Temporal configuration file')
    .option('--api-key <key>', 'Temporal API key (better: TEMPORAL_API_KEY)')
    .option('--tls', 'use TLS')
    .option('--tls-cert-path <path>', 'client certificate')
    .option('--tls-key-path <path>', 'client key')
    .option('--tls-ca-path <path>', 'CA of the server')
    .option('--tls-server-name <name>', 'expected name of the server');
}

/** Which Temporal the flags, the environment or a running `up` name. */
export function targetOf(flags: ConnectionFlags, io: Io): TemporalTarget {
  return resolveTemporalTarget({ options: flags, env: io.env, up: findUpFile(io.cwd)?.temporal ?? null });
}

/** @throws SluiceError `temporal-unreachable` within 5 s, naming what was tried */
export async function openSession(flags: ConnectionFlags, io: Io): Promise<Session> {
  const target = targetOf(flags, io);
  const connection = await connectClient(target);
  return {
    client: new Client({ connection, namespace: target.namespace }),
    target: describeTarget(target),
    namespace: target.namespace,
    close: () => connection.close(),
  };
}
