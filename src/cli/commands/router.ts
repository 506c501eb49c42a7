import type { Listen, SluiceConfig } from '../../plan/config.js';
import { startRouter } from '../../router/router.js';
import { addConfigFlag, requireConfig, type ConfigFlag } from '../config-flag.js';
import { parseListenFlag } from '../listen-flag.js';
import type { Register } from '../program.js';
import { reportReady, untilStopped } from '../stack/child-link.js';

interface RouterFlags extends ConfigFlag {
  readonly listen?: Listen;
  readonly adminListen?: Listen;
  readonly state?: string;
  readonly replica?: string;
}

/** `sluice router`: one router of the fleet, until SIGTERM drains it. */
export const registerRouter: Register = (program, io) => {
  const command = program
    .command('router')
    .description('Run a router: carries the traffic of the routes in sluice.yaml.')
    .option('--listen <host:port>', 'public address instead of that in sluice.yaml', parseListenFlag)
    .option('--admin-listen <host:port>', 'admin address instead of that in sluice.yaml', parseListenFlag)
    .option('--state <directory>', 'where splits and unacknowledged evidence are kept')
    .option('--replica <name>', 'name of this router in evidence (default: kept in its state directory)');
  addConfigFlag(command).action(async (flags: RouterFlags) => {
    const { config } = requireConfig(flags, io);
    const router = await startRouter({
      config: withListen(config, flags),
      env: io.env,
      log: (entry) => io.note(JSON.stringify(entry)),
      ...(flags.replica === undefined ? {} : { replica: flags.replica }),
      ...(flags.state === undefined ? {} : { stateDirectory: flags.state }),
    });
    io.print(`router ${router.replica}: clients ${router.publicUrl}, admin ${router.adminUrl}`);
    reportReady({ url: router.publicUrl, admin: router.adminUrl });
    await untilStopped();
    await router.drain();
    await router.close();
  });
};

function withListen(config: SluiceConfig, flags: RouterFlags): SluiceConfig {
  return {
    ...config,
    listen: flags.listen ?? config.listen,
    admin: { ...config.admin, listen: flags.adminListen ?? config.admin.listen },
  };
}
