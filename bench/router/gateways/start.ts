import { setTimeout as wait } from 'node:timers/promises';
import type { Gateway, Running, StartContext, Target } from './gateway.js';

const START_LIMIT_MS = 90_000;

/** Starts a gateway and waits until it answers a completion. Throws with what it said when it does not. */
export async function startGateway(gateway: Gateway, context: StartContext): Promise<Running> {
  const running = await gateway.start(context);
  const deadline = Date.now() + START_LIMIT_MS;
  for (const target of running.targets) {
    for (let problem = await ask(target); problem !== null; problem = await ask(target)) {
      if (Date.now() > deadline) {
        await running.stop();
        throw new Error(`${gateway.name} does not answer: ${problem}`);
      }
      await wait(200);
    }
  }
  return running;
}

/** null = it answered 200. */
async function ask(target: Target): Promise<string | null> {
  try {
    const answer = await fetch(`http://127.0.0.1:${target.port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench', ...target.headers },
      body: JSON.stringify({ model: target.model, messages: [{ role: 'user', content: 'hello' }] }),
    });
    const text = await answer.text();
    return answer.status === 200 ? null : `${answer.status} ${text.slice(0, 300)}`;
  } catch (error) {
    return String(error);
  }
}
