/** `sluice.yaml` as people write it. */
import { z } from 'zod';
import { httpUrl, listen } from './address-schema.js';
import { CONFIG_SECTIONS_TO_COME, NOT_AVAILABLE } from './availability.js';
import { routeName, upstreamName } from './ids.js';
import { duration, mapping, named, oneOf, variable, wanted, wholeNumber } from './scalar-schema.js';

const DAY_MS = 86_400_000;
const SECRET_HEADER = /^(authorization|proxy-authorization|api-key|x-api-key|cookie)$/i;

/** Answers to keys that would hold a secret, in any spelling that people try. */
function secrets(names: readonly string[], instead: string): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => [name, `a secret has no place in this file. Name an environment variable: ${instead}`]),
  );
}

const text = (what: string, description: string) =>
  z
    .string({ error: wanted(what) })
    .min(1, { error: 'empty' })
    .describe(description);

const upstream = mapping(
  'an upstream, such as { url: http://127.0.0.1:8080/v1, model: llama-3.1-8b-instruct }',
  {
    url: httpUrl('Base URL with the version path.', 'http://127.0.0.1:8080/v1'),
    model: text('the model name that the upstream knows', 'Model name that the upstream knows.'),
    apiKeyEnv: variable(
      "Environment variable with the key of the upstream; without it the client's own Authorization passes through.",
    ).optional(),
    headers: z
      .record(
        z
          .string()
          .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, { error: 'not the name of a header' })
          .refine((name) => !SECRET_HEADER.test(name), {
            error: 'a header that holds a secret. Name an environment variable: apiKeyEnv',
          }),
        z
          .string({ error: wanted('a text') })
          .regex(/^[\t\x20-\x7e\x80-\xff]*$/, { error: 'not the value of a header' }),
        { error: wanted('a mapping from headers to values') },
      )
      .describe('Headers of each request to the upstream.')
      .optional(),
    timeout: duration('How long a whole answer may take; by default as long as the plan allows.', 1, DAY_MS).optional(),
    caFile: text(
      'a file of PEM certificates',
      "PEM certificates to trust instead of the system's, relative to this file.",
    ).optional(),
    http2: z
      .boolean({ error: wanted('true or false') })
      .describe('Offer HTTP/2 to the upstream in the TLS handshake; false by default.')
      .optional(),
  },
  secrets(['apiKey', 'apikey', 'api_key', 'key', 'token', 'password', 'secret', 'authorization'], 'apiKeyEnv'),
);

const route = mapping(
  'a route, such as { stable: llama-31 }',
  {
    stable: named('Upstream that serves the route while no rollout runs.', 'the name of an upstream', upstreamName),
    unitHeader: z
      .string({ error: wanted('the name of a request header') })
      .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, { error: 'not the name of a header. Write one such as "x-user-id"' })
      .transform((name) => name.toLowerCase())
      .meta({
        description: 'Request header that names the unit (user, session or tenant) to keep on one variant.',
      })
      .optional(),
    clientKeysEnv: z
      .union(
        [
          variable('The keys.').transform((only) => [only]),
          z.array(variable('Some of the keys.')).min(1, { error: 'empty' }),
        ],
        { error: wanted('the name of an environment variable, or a list of them') },
      )
      .describe(
        'Environment variables with the keys of the clients of this route, separated by commas; without it those of the router.',
      )
      .optional(),
  },
  secrets(['clientKeys', 'clientKey', 'apiKeys'], 'clientKeysEnv'),
);

const tokenSecrets = secrets(['token', 'password', 'secret'], 'tokenEnv');
const tokenEnv = variable('Environment variable with the token of the admin API.');

const fleetEntry = z.union(
  [
    mapping(
      'a member',
      { admin: httpUrl("Address of a router's admin API.", 'http://127.0.0.1:8701'), tokenEnv: tokenEnv.optional() },
      tokenSecrets,
    ),
    mapping(
      'a member',
      {
        dns: text('a name such as "sluice-router.models.svc"', 'Name whose addresses are the routers.'),
        port: wholeNumber('Port of their admin API.', 1, 65_535),
        tokenEnv: tokenEnv.optional(),
      },
      tokenSecrets,
    ),
  ],
  { error: wanted('a member such as { admin: http://127.0.0.1:8701 } or { dns: NAME, port: 8701 }') },
);

const webhook = mapping('a webhook, such as { urlEnv: SLACK_WEBHOOK_URL, format: slack }', {
  url: httpUrl('Where to post. A URL that is a secret goes to urlEnv.', 'http://127.0.0.1:9000/hook').optional(),
  urlEnv: variable('Environment variable that holds the URL.').optional(),
  format: oneOf('Shape of the body.', ['generic', 'slack']).optional(),
}).refine(({ url, urlEnv }) => (url === undefined) !== (urlEnv === undefined), {
  error: 'without one address. Write either url or urlEnv',
});

const timeout = (description: string) => duration(description, 1000, 30 * DAY_MS).optional();

const check = z.union(
  [
    mapping('a check', {
      url: httpUrl('Passes when a POST to it answers 2xx.', 'http://127.0.0.1:9000/check'),
      timeout: timeout('30s by default.'),
    }),
    mapping('a check', {
      command: z
        .array(z.string({ error: wanted('a text') }).min(1), {
          error: 'not a list of words. Write one such as [npm, run, eval]',
        })
        .min(1, { error: 'empty. Write at least the program' })
        .describe('Passes when the program exits 0: the program and its arguments.'),
      timeout: timeout('10m by default.'),
    }),
    mapping('a check', {
      workflow: text('the type of a workflow', 'Passes when this workflow returns { pass: true }.'),
      taskQueue: text('the task queue of its worker', 'Task queue of its worker.'),
      timeout: timeout('1d by default.'),
    }),
  ],
  {
    error: wanted(
      'a check such as { url: http://127.0.0.1:9000/check }, { command: [npm, run, eval] } or { workflow: evals, taskQueue: evals }',
    ),
  },
);

const checkName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$/, { error: 'not a name. Use letters, digits and . _ -' });

function byName<Value extends z.ZodType>(what: string, description: string, value: Value) {
  return z.record(checkName, value, { error: wanted(`a mapping from names to ${what}`) }).describe(description);
}

/** Schema of `sluice.yaml`. */
export const writtenConfig = mapping(
  'a mapping with upstreams and routes',
  {
    listen: listen('Where clients send their requests; 127.0.0.1:8700 by default.').optional(),
    admin: mapping(
      'settings of the admin API, such as { listen: 127.0.0.1:8701, tokenEnv: SLUICE_ADMIN_TOKEN }',
      {
        listen: listen('Where the pipeline reaches the router; 127.0.0.1:8701 by default.').optional(),
        tokenEnv: tokenEnv.optional(),
      },
      tokenSecrets,
    )
      .describe('The listener of the admin API.')
      .optional(),
    fleet: z
      .array(fleetEntry, { error: wanted('a list of members') })
      .min(1, { error: 'empty. Write at least one member, or leave it out for the router of this file' })
      .describe('The routers that carry the routes; by default the one of this file.')
      .optional(),
    upstreams: z
      .record(z.string().transform(nameKey(upstreamName)), upstream, {
        error: wanted('a mapping from names to upstreams'),
      })
      .describe('OpenAI-compatible endpoints that the router may call, by name.'),
    routes: z
      .record(z.string().transform(nameKey(routeName)), route, { error: wanted('a mapping from names to routes') })
      .describe('Model names that clients send, with the upstream that is stable there.'),
    webhooks: byName('webhooks', 'Who hears of each step.', webhook).optional(),
    checks: byName('checks', 'Gates of your own, by name.', check).optional(),
    tokenKeyEnv: z
      .union(
        [
          variable('One key.').transform((only) => [only]),
          z
            .array(variable('A key.'))
            .min(1, { error: 'empty' })
            .max(2, { error: 'too many. Name one variable, or two while a key is replaced' }),
        ],
        {
          error: wanted('the name of an environment variable, or a list of two'),
        },
      )
      .describe(
        'Environment variable with the key that signs request ids, the same over the fleet; a second one while keys are replaced.',
      )
      .optional(),
    clientKeysEnv: variable(
      'Environment variable with the keys that clients must send, separated by commas.',
    ).optional(),
    allowAnonymous: z
      .boolean({ error: wanted('true or false') })
      .describe('Serve clients without a key on an address that other machines reach.')
      .optional(),
    limits: mapping('limits such as { bodyBytes: 67108864, headersTimeout: 15s }', {
      headerBytes: wholeNumber('Of a request line and its headers; 16384 by default.', 1_024, 1_048_576).optional(),
      bodyBytes: wholeNumber('Of a body, in plain; 67108864 by default.', 1_024, 1_073_741_824).optional(),
      headersTimeout: duration('For the headers of a request; 15s by default.', 1_000, DAY_MS).optional(),
      bodyTimeout: duration('For a whole request, its body included; 5m by default.', 1_000, DAY_MS).optional(),
    })
      .describe('What a client may cost before it is refused.')
      .optional(),
    stateDirectory: text(
      'a directory',
      'Where the router keeps its state; .sluice/router beside this file by default.',
    ).optional(),
  },
  {
    ...Object.fromEntries(CONFIG_SECTIONS_TO_COME.map((name) => [name, `${NOT_AVAILABLE}. Leave it out`])),
    ...secrets(['tokenKey', 'tokenKeys', 'key'], 'tokenKeyEnv'),
    ...secrets(['clientKeys', 'clientKey', 'apiKeys'], 'clientKeysEnv'),
    ...secrets(['adminToken', 'token'], 'admin.tokenEnv'),
  },
);

function nameKey<Name extends string>(parse: (value: string) => Name) {
  return (written: string, context: z.core.$RefinementCtx<string>): Name => {
    try {
      return parse(written);
    } catch {
      context.issues.push({
        code: 'custom',
        message: 'not a name. Use 1 to 120 letters, digits and . _ : / - , starting with a letter or digit',
        input: written,
      });
      return z.NEVER;
    }
  };
}

export type WrittenConfig = z.output<typeof writtenConfig>;
