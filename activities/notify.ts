/** Tells people by webhook. Best effort: a webhook that is down never holds a rollout up. */
import { Context } from '@temporalio/activity';
import { request } from 'undici';
import { withDeadline } from '../src/backends/deadline.js';
import type { WebhookConfig } from '../src/plan/config.js';
import type { World } from './dependencies.js';
import type { NotifyInput } from './types.js';

/** Time for one webhook, ms. */
const WEBHOOK_TIMEOUT_MS = 5_000;

/** Calls every webhook of the plan once, in parallel, and says by name which took it. Never throws but on cancellation. */
export async function notify(
  world: World,
  input: NotifyInput,
): Promise<{ readonly delivered: readonly string[]; readonly failed: readonly string[] }> {
  const { webhooks } = world.config();
  const delivered: string[] = [];
  const failed: string[] = [];
  await Promise.all(
    input.webhooks.map(async (name) => {
      const problem = await call(world, webhooks.get(name), input);
      (problem === null ? delivered : failed).push(name);
      // The name and never the URL: a webhook's URL is a secret.
      if (problem !== null) world.log.warn(`webhook "${name}" did not take "${input.event}": ${problem}`);
    }),
  );
  return { delivered: delivered.toSorted(), failed: failed.toSorted() };
}

/** Null when delivered, else what went wrong, without the URL. */
async function call(world: World, webhook: WebhookConfig | undefined, input: NotifyInput): Promise<string | null> {
  if (webhook === undefined) return 'sluice.yaml has no webhook of this name';
  const url = webhook.url ?? (webhook.urlEnv === null ? undefined : world.env[webhook.urlEnv]);
  if (url === undefined || url === '') return `the environment variable ${webhook.urlEnv ?? ''} is not set`;
  const signal = Context.current().cancellationSignal;
  const timeout = (): Error => new DOMException(`no answer within ${WEBHOOK_TIMEOUT_MS} ms`, 'TimeoutError');
  try {
    return await withDeadline(signal, WEBHOOK_TIMEOUT_MS, timeout, async (limited) => {
      const response = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(webhook.format === 'slack' ? slackBody(input) : genericBody(world, input)),
        signal: limited,
      });
      await response.body.dump();
      return response.statusCode >= 200 && response.statusCode < 300 ? null : `status ${response.statusCode}`;
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error && error.name === 'TimeoutError') return error.message;
    return error instanceof Error && 'code' in error && typeof error.code === 'string'
      ? error.code
      : 'the URL cannot be called';
  }
}

function genericBody(world: World, input: NotifyInput): unknown {
  return {
    event: input.event,
    route: input.route,
    rollout: input.rollout,
    stage: input.stage,
    text: input.text,
    at: new Date(world.clock.now()).toISOString(),
  };
}

function slackBody(input: NotifyInput): unknown {
  // Slack reads <, > and & as markup: an evidence sentence may hold all three.
  const escaped = input.text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return { text: `*${input.route}* ${input.event} (${input.stage}): ${escaped}` };
}
