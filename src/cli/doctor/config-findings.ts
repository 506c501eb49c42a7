import type { SluiceConfig } from '../../plan/config.js';
import { requireConfig, type ConfigFlag } from '../config-flag.js';
import type { Io } from '../io.js';
import { fail, ok, wordsOf, type Finding } from './finding.js';

/** `sluice.yaml` and the environment variables that it names. */
export function configFindings(
  io: Io,
  flags: ConfigFlag,
): { readonly config: SluiceConfig | null; readonly findings: readonly Finding[] } {
  try {
    const { path, config } = requireConfig(flags, io);
    return {
      config,
      findings: [
        ok(`${path}: ${String(config.routes.size)} routes, ${String(config.upstreams.size)} upstreams`),
        ...keyFindings(io, config),
      ],
    };
  } catch (error) {
    return {
      config: null,
      findings: [fail(wordsOf(error), 'correct sluice.yaml; sluice schema --config helps editors')],
    };
  }
}

function keyFindings(io: Io, config: SluiceConfig): Finding[] {
  return [...config.upstreams.values()]
    .filter((upstream) => upstream.apiKeyEnv !== null && io.env[upstream.apiKeyEnv] === undefined)
    .map((upstream) =>
      fail(
        `upstream ${upstream.name} takes its key from ${String(upstream.apiKeyEnv)}, which is not set here`,
        'set it where the routers run',
      ),
    );
}
