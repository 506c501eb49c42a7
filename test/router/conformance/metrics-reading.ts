import { request } from 'undici';
import type { Router } from '../../../src/router/router.js';
import { TOKEN } from '../helpers/router-fixture.js';

/** Requests that ended, by class, over all routes and variants. */
async function classes(router: Router): Promise<Readonly<Record<string, number>>> {
  const { body } = await request(`${router.adminUrl}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const counts: Record<string, number> = {};
  for (const [, name = '', count = '0'] of (await body.text()).matchAll(
    /^sluice_requests_total\{.*class="([^"]+)"\} (\d+)$/gm,
  )) {
    counts[name] = (counts[name] ?? 0) + Number(count);
  }
  return counts;
}

/** What was added to the counts while `work` ran. */
export async function classesOf(router: Router, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await classes(router);
  await work();
  const after = await classes(router);
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
}
