/** All static checks at once: format, lint (with types and import direction), types, dead code. */
import { ensureSetup } from './setup.mjs';
import { inRoot, root } from './setup/root.mjs';
import { run } from './setup/run.mjs';
import { runMain } from './setup/say.mjs';

const checks = [
  { name: 'format', program: 'oxfmt/bin/oxfmt', args: ['--check'], hint: 'npm run format' },
  { name: 'lint', program: 'oxlint/bin/oxlint', args: ['--deny-warnings'], hint: 'npm run lint' },
  { name: 'types', program: 'typescript/bin/tsc', args: ['--noEmit'], hint: 'npm run typecheck' },
  { name: 'dead code', program: 'knip/bin/knip.js', args: ['--no-progress'], hint: 'npx knip' },
];

await runMain(async () => {
  await ensureSetup();
  const results = await Promise.all(
    checks.map(async (check) => {
      const started = Date.now();
      const result = await run(process.execPath, [inRoot('node_modules', check.program), ...check.args], { cwd: root });
      return { ...check, ...result, seconds: ((Date.now() - started) / 1000).toFixed(1) };
    }),
  );
  for (const { name, code, output, hint, seconds } of results) {
    console.log(`${code === 0 ? 'ok    ' : 'failed'}  ${name} (${seconds} s)`);
    if (code !== 0) console.log(`\n${output.trim()}\n\n        again alone: ${hint}\n`);
  }
  const failed = results.filter(({ code }) => code !== 0).length;
  console.log(`check: ${results.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
});
