import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ChildTask } from './ledger-child.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The ledger compiled for processes of its own: only real ones share no memory, and can be killed. */
export interface CompiledLedger {
  start(task: ChildTask): Promise<LedgerProcess>;
  remove(): void;
}

export interface LedgerProcess {
  /** It has started and waits; now it opens the ledger. */
  go(): void;
  /** The next thing it says, or null when it has ended. */
  nextLine(): Promise<string | null>;
  /** SIGKILL, as a machine that is gone. */
  kill(): Promise<void>;
  /** Its exit code, with all that it said on standard error. */
  ended(): Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** Inside the repository, so that its packages are found. */
export async function compileLedger(): Promise<CompiledLedger> {
  mkdirSync(join(root, '.sluice'), { recursive: true });
  const directory = mkdtempSync(join(root, '.sluice', 'test-ledger-'));
  const config = join(directory, 'tsconfig.json');
  writeFileSync(
    config,
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { noEmit: false, rootDir: '../..', outDir: './out', types: ['node'] },
      include: [],
      files: ['../../test/ledger/ledger-child.ts'],
    }),
  );
  const compiler = spawn(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--project', config]);
  let output = '';
  compiler.stdout.on('data', (text: Buffer) => (output += text.toString()));
  await once(compiler, 'close');
  if (compiler.exitCode !== 0) throw new Error(`the ledger does not compile:\n${output}`);
  const script = join(directory, 'out', 'test', 'ledger', 'ledger-child.js');
  return {
    start: (task) => startProcess(script, task),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

async function startProcess(script: string, task: ChildTask): Promise<LedgerProcess> {
  const env = { ...process.env, LEDGER_CHILD_TASK: JSON.stringify(task) };
  const child = spawn(process.execPath, [script], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  // A child that was killed no longer reads.
  child.stdin.on('error', () => undefined);
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string | null> => {
    const next: IteratorResult<string, unknown> = await lines.next();
    return next.done === true ? null : next.value;
  };
  const ready = await nextLine();
  if (ready !== 'ready') throw new Error(`the ledger's process did not start: ${stderr}`);
  return {
    go: () => child.stdin.write('go\n'),
    nextLine,
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
    ended: async () => {
      await closed;
      return { code: child.exitCode, stderr };
    },
  };
}
