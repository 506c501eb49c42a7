/** Seeded request lines of a rollout, in the format that `sluice analyze` reads. */

/**
 * @typedef {object} Behaviour
 * @property {number} errorRate share of requests that fail
 * @property {number} medianMs median latency
 * @property {number} logSd standard deviation of ln(latency)
 *
 * @typedef {object} StageLines
 * @property {string} stage
 * @property {number} lines how many, both variants together
 * @property {number} candidateShare share of the units that are the candidate's
 * @property {Behaviour} [candidate] default as stable
 *
 * @typedef {object} LineOptions
 * @property {number} seed
 * @property {number} startMs Unix ms of the first line
 * @property {number} perSecond lines a second
 * @property {readonly StageLines[]} stages one after the other
 * @property {Behaviour} [stable]
 * @property {number} [units] how many units send requests; default 10,000
 */

/** @type {Behaviour} */
export const HEALTHY = { errorRate: 0.01, medianMs: 400, logSd: 0.5 };

/**
 * Yields one line a request, without its line end, in order of `at`.
 * @param {LineOptions} options
 * @returns {Generator<string, void, undefined>}
 */
export function* requestLines({ seed, startMs, perSecond, stages, stable = HEALTHY, units = 10_000 }) {
  const random = randomOf(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let sent = 0;
  for (const { stage, lines, candidateShare, candidate = stable } of stages) {
    for (let line = 0; line < lines; line++, sent++) {
      const at = new Date(startMs + Math.floor((1000 * sent) / perSecond)).toISOString();
      const unit = Math.floor(units * random());
      const isCandidate = pointOf(unit) < candidateShare;
      const behaviour = isCandidate ? candidate : stable;
      const latency = behaviour.medianMs * Math.exp(behaviour.logSd * normal());
      const failed = random() < behaviour.errorRate;
      const prompt = 200 + Math.floor(800 * random());
      const cached = random() < 0.6 ? Math.floor(prompt * 0.75) : 0;
      const words = failed
        ? `"error":"model"`
        : `"ttftMs":${Math.round(latency / 4)},"promptTokens":${prompt},"cachedTokens":${cached},` +
          `"completionTokens":${20 + Math.floor(200 * random())},"error":null,"refused":${random() < 0.02}`;
      yield (
        `{"at":"${at}","stage":"${stage}","variant":"${isCandidate ? 'candidate' : 'stable'}",` +
        `"unit":"u-${unit}","latencyMs":${Math.round(latency)},${words}` +
        `${random() < 0.01 ? ',"thumb":"up"' : ''}}`
      );
    }
  }
}

/**
 * Where a unit stands on [0, 1): it is kept on its variant, and any number of units is spread evenly.
 * @param {number} unit
 * @returns {number}
 */
function pointOf(unit) {
  return ((unit + 0.5) * 0.6180339887498949) % 1;
}

/**
 * Uniform numbers in [0, 1) that the seed determines (mulberry32).
 * @param {number} seed
 * @returns {() => number}
 */
function randomOf(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
