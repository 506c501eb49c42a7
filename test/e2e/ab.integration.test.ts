import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { startEmbedded, type Embedded } from './embedded.js';

const statusShape = z.object({
  state: z.string(),
  stage: z.object({ kind: z.string() }),
  hold: z.object({ reason: z.string() }).nullable(),
  ab: z.object({ primary: z.string(), finding: z.string(), why: z.string() }).nullable().optional(),
});

let embedded: Embedded;

beforeAll(async () => {
  embedded = await startEmbedded();
});

afterAll(() => embedded.stop());

async function status(): Promise<z.infer<typeof statusShape>> {
  const { out, err } = await embedded.sluice('status', 'support', '--json');
  if (out === '') throw new Error(err);
  return statusShape.parse(JSON.parse(out));
}

it(
  'finds the faster model, recommends it, and moves the route once a person agrees',
  { timeout: 120_000 },
  async () => {
    embedded.candidate.set({ latencyMedianMs: 15 });
    const path = join(embedded.directory, 'ab.yaml');
    const stages = '[{ kind: ab, for: 1h, interval: 1s, warmup: 0s }]';
    writeFileSync(
      path,
      `route: support\ncandidate: llama-32\nstages: ${stages}\nprimary: latency_p50\nrequestTimeout: 5s\n`,
    );
    const started = await embedded.sluice('start', path);
    expect(started).toMatchObject({ exitCode: 0 });

    const held = await vi.waitFor(
      async () => {
        const now = await status();
        if (now.state !== 'held') throw new Error(`it is ${now.state}`);
        return now;
      },
      { timeout: 90_000, interval: 250 },
    );
    expect(held).toMatchObject({ stage: { kind: 'ab' }, ab: { primary: 'latency_p50', finding: 'candidate-better' } });
    expect(held.hold?.reason).toBe(`ab: ${held.ab?.why}; recommended: promote`);

    const explained = await embedded.sluice('explain', 'support', '--look', 'last');
    expect(explained).toMatchObject({ exitCode: 0 });
    expect(explained.out).toContain(held.ab?.why);
    expect(explained.out).toContain('every figure is equal to the last digit');

    const promoted = await embedded.sluice('promote', 'support', '--reason', 'faster', '--yes');
    expect(promoted).toMatchObject({ exitCode: 0 });
    await vi.waitFor(
      async () => {
        const { split } = await embedded.router();
        expect(split).toMatchObject({ upstreams: { stable: 'llama-32', candidate: null }, lease: null });
      },
      { timeout: 30_000, interval: 250 },
    );
  },
);
