/**
 * Lines a second and peak memory of `sluice analyze`: `npm run bench:analyze -- [LINES]`, ten million by default. The
 * lines are written to a temporary file first; the command then runs as a process of its own.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requestLines } from './request-lines.mjs';

const SLUICE = fileURLToPath(new URL('../../bin/sluice.mjs', import.meta.url));
const PLAN = 'route: support\ncandidate: llama-32\nstages: five-week\n';
const SHARES = { shadow: 0.5, 'canary-5': 0.05, 'canary-25': 0.25, 'canary-50': 0.5, flip: 0.9 };
const BLOCK = 1 << 20;
const SAMPLE_MS = 50;

const count = Number(process.argv[2] ?? 10_000_000);
if (!Number.isSafeInteger(count) || count < 5) throw new RangeError('name a number of lines, such as 10000000');
const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
try {
  const plan = join(directory, 'plan.yaml');
  writeFileSync(plan, PLAN);
  // A build, if one is due, is none of the figures.
  await run(['--version']);
  const lines = writeLines(join(directory, 'requests.jsonl'));
  const { seconds, peakMb, output } = await run(['analyze', '--plan', plan, lines.path]);
  console.log(output.trimEnd());
  console.log(
    `${count.toLocaleString('en-US')} lines, ${(lines.bytes / 1e9).toFixed(2)} GB: ${seconds.toFixed(1)} s, ` +
      `${Math.round(count / seconds).toLocaleString('en-US')} lines/s, ` +
      `peak resident memory ${peakMb === null ? 'unknown here' : `${peakMb.toFixed(0)} MB`}`,
  );
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/**
 * @param {string} path
 * @returns {{ path: string, bytes: number }}
 */
function writeLines(path) {
  const file = openSync(path, 'w');
  let block = '';
  const stages = Object.entries(SHARES).map(([stage, candidateShare], index, all) => ({
    stage,
    lines: Math.floor((count * (index + 1)) / all.length) - Math.floor((count * index) / all.length),
    candidateShare,
  }));
  // A service of a million requests an hour.
  for (const line of requestLines({ seed: 1, startMs: Date.parse('2026-11-24T09:00:00Z'), perSecond: 300, stages })) {
    block += `${line}\n`;
    if (block.length < BLOCK) continue;
    writeSync(file, block);
    block = '';
  }
  writeSync(file, block);
  closeSync(file);
  return { path, bytes: statSync(path).size };
}

/**
 * Runs the command to its end.
 * @param {readonly string[]} args
 * @returns {Promise<{ seconds: number, peakMb: number | null, output: string }>}
 */
async function run(args) {
  const started = performance.now();
  const child = spawn(process.execPath, [SLUICE, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += String(text)));
  /** @type {number | null} */
  let peakMb = null;
  const sampler = setInterval(() => (peakMb = peakOf(child.pid) ?? peakMb), SAMPLE_MS);
  /** @type {unknown} */
  const code = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  clearInterval(sampler);
  if (code !== 0) throw new Error(`sluice ${args.join(' ')} exited with ${String(code)}`);
  return { seconds: (performance.now() - started) / 1000, peakMb, output };
}

/**
 * The largest resident size of a process so far, as the kernel has it; null where there is no /proc.
 * @param {number | undefined} pid
 */
function peakOf(pid) {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) / 1024;
  } catch {
    return null;
  }
}
