import { ensureBuild } from './build.mjs';
import { ensureSetup } from './setup.mjs';
import { runMain } from './setup/say.mjs';

/**
 * What the command does before it runs from a checkout.
 *
 * @returns {Promise<boolean>} whether the command can run; if not, the reason has been said
 */
export async function prepareCheckout() {
  await runMain(async () => {
    await ensureSetup();
    await ensureBuild();
  });
  return process.exitCode === undefined;
}
