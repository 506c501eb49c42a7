/**
 * A real browser for tests that look at a page: the Chromium of `@sparticuz/chromium`, which brings the shared libraries that
 * a bare machine lacks. It is unpacked afresh each time: the package takes whatever lies at its place already for the whole
 * of it, half a program included.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packed from '@sparticuz/chromium';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

export interface TestBrowser {
  readonly browser: Browser;
  /** Ends the browser and removes its files. */
  readonly close: () => Promise<void>;
}

/** What makes the package unpack its shared libraries too. */
const WITH_LIBRARIES = { CODEBUILD_BUILD_IMAGE: 'nodejs20' };

/** @throws Error with the reason and the next step where no Chromium can run */
export async function startChromium(): Promise<TestBrowser> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-chromium-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    const browser = await launch(directory);
    return {
      browser,
      close: async () => {
        await browser.close().finally(remove);
      },
    };
  } catch (cause) {
    remove();
    const source = process.env['CHROMIUM_PATH'] ?? 'the one of @sparticuz/chromium, for linux x64';
    throw new Error(
      `no Chromium runs here (${process.platform} ${process.arch}; tried ${source}): set CHROMIUM_PATH to a Chromium or Chrome of your own: ${cause instanceof Error ? cause.message : 'unknown reason'}`,
      { cause },
    );
  }
}

async function launch(directory: string): Promise<Browser> {
  const own = process.env['CHROMIUM_PATH'];
  const options = {
    headless: true,
    args: [
      // In one process a page that crashes takes the browser along; only places without prctl need it.
      ...packed.args.filter((flag) => flag !== '--single-process'),
      '--no-sandbox',
      '--disable-background-networking',
      // Whatever the browser itself may want from the world, it does not find it.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  };
  if (own !== undefined) return chromium.launch({ ...options, executablePath: own });
  const executablePath = await unpack(directory);
  const libraries = [join(directory, 'al2023', 'lib'), process.env['LD_LIBRARY_PATH']];
  return chromium.launch({
    ...options,
    executablePath,
    env: {
      ...process.env,
      LD_LIBRARY_PATH: libraries.filter((path) => path !== undefined).join(':'),
      FONTCONFIG_PATH: join(directory, 'fonts'),
    },
  });
}

/** The package unpacks into the directory for temporary files, wherever that is at the time. */
async function unpack(directory: string): Promise<string> {
  const changes: Record<string, string> = { ...WITH_LIBRARIES, TMPDIR: directory };
  const before = Object.keys(changes).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, changes);
  try {
    return await packed.executablePath();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
