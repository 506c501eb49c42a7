import { SluiceError } from '../../plan/failures.js';
import type { Plan } from '../../plan/types.js';
import { loadHash } from '../../router/choice.js';
import { RequestFold } from '../analyze/fold-requests.js';
import { comparesLatency } from '../analyze/analyze-lines.js';
import { forEachLine } from '../analyze/line-source.js';
import { RequestOrder } from '../analyze/request-order.js';
import { RequestReader } from '../analyze/request-reader.js';
import { MeasuredStable } from './measured-stable.js';
import type { MeasuredTraffic } from './measured-traffic.js';

/**
 * Measures a log of requests in the format of `analyze`, which may name any stage or none: baselines from stable's, the
 * route's traffic when there are none of a candidate, since mirrored requests would count twice.
 * @throws SluiceError `evidence-invalid` naming the line
 */
export async function trafficOfFile(path: string, plan: Plan, reorderMs: number): Promise<MeasuredTraffic> {
  const reader = new RequestReader({ stages: null, needsLatency: comparesLatency(plan) });
  const fold = new RequestFold(plan, await loadHash());
  const measured = new MeasuredStable(plan);
  let candidates = 0;
  const use = (throughMs: number): void => {
    for (const record of fold.close(throughMs)) measured.add(record, true);
    for (const rating of fold.takeRatings(throughMs)) measured.addRating(rating);
  };
  const order = new RequestOrder(reorderMs, (request) => {
    if (fold.nextEndMs <= request.at) use(request.at);
    // Which stage it was is of no account: all of it is stable's.
    fold.add({ ...request, stageIndex: 0 });
  });
  const lines = await forEachLine(path, (bytes, start, end, lineNumber) => {
    const request = reader.read(bytes, start, end, lineNumber);
    if (request.variant === 'candidate') candidates++;
    else order.add(request, lineNumber);
  });
  order.end();
  use(Infinity);
  if (lines === candidates) {
    throw new SluiceError(
      'evidence-invalid',
      `${path} has no requests of stable; a forecast starts from what stable does`,
    );
  }
  return { requestsPerSecond: candidates === 0 ? measured.requestsPerSecond : null, baselines: measured.baselines() };
}
