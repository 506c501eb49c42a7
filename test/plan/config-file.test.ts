import { describe, expect, it } from 'vitest';
import { missingVariables, parseConfigFile } from '../../src/plan/config-file.js';
import { SluiceError } from '../../src/plan/failures.js';
import { upstreamName } from '../../src/plan/ids.js';
import { configOf, errorOf, problemsOfConfig } from './context.js';

const base = `
upstreams: { a: { url: http://127.0.0.1:1/v1/, model: m } }
routes: { r: { stable: a } }
`;

describe('sluice.yaml', () => {
  it('has defaults for everything but upstreams and routes', () => {
    const config = configOf(base);
    expect(config).toMatchObject({
      listen: { host: '127.0.0.1', port: 8700 },
      admin: { listen: { host: '127.0.0.1', port: 8701 }, tokenEnv: 'SLUICE_ADMIN_TOKEN' },
      fleet: [{ kind: 'address', admin: 'http://127.0.0.1:8701', tokenEnv: 'SLUICE_ADMIN_TOKEN' }],
      tokenKeyEnv: ['SLUICE_TOKEN_KEY'],
      clientKeysEnv: null,
      allowAnonymous: false,
      stateDirectory: null,
    });
    expect([...config.upstreams.values()]).toEqual([
      {
        name: 'a',
        url: 'http://127.0.0.1:1/v1',
        model: 'm',
        apiKeyEnv: null,
        headers: {},
        timeoutMs: null,
        caFile: null,
        http2: false,
      },
    ]);
    expect([...config.routes.values()]).toEqual([{ name: 'r', stable: 'a', unitHeader: null, clientKeysEnv: [] }]);
    expect(config.webhooks.size + config.checks.size).toBe(0);
  });

  it('reads the whole of the design', () => {
    const config = configOf(`
listen: "[::]:8700"
admin: { listen: localhost:0, tokenEnv: ADMIN }
fleet: [{ admin: http://10.0.0.1:8701/, tokenEnv: ONE }, { dns: routers.svc, port: 8701 }]
tokenKeyEnv: [NEW_KEY, OLD_KEY]
clientKeysEnv: CLIENT_KEYS
stateDirectory: /var/lib/sluice
upstreams:
  llama-31: { url: https://old/v1, model: llama-3.1-8b-instruct, apiKeyEnv: OLD, headers: { X-Team: support } }
routes:
  support: { stable: llama-31, unitHeader: X-User-Id }
webhooks:
  slack: { urlEnv: SLACK_URL, format: slack }
  hook: { url: http://127.0.0.1:9000/hook }
checks:
  eval: { command: [npm, run, evals], timeout: 30m }
  ready: { url: http://127.0.0.1:9000/ready }
  suite: { workflow: evalSuite, taskQueue: evals }
`);
    expect(config.listen).toEqual({ host: '::', port: 8700 });
    expect(config.admin).toEqual({ listen: { host: 'localhost', port: 0 }, tokenEnv: 'ADMIN' });
    expect(config.fleet).toEqual([
      { kind: 'address', admin: 'http://10.0.0.1:8701', tokenEnv: 'ONE' },
      { kind: 'dns', name: 'routers.svc', port: 8701, tokenEnv: 'ADMIN' },
    ]);
    expect(config.tokenKeyEnv).toEqual(['NEW_KEY', 'OLD_KEY']);
    expect(config.upstreams.get(upstreamName('llama-31'))).toMatchObject({
      apiKeyEnv: 'OLD',
      headers: { 'X-Team': 'support' },
    });
    expect([...config.routes.values()][0]?.unitHeader).toBe('x-user-id');
    expect([...config.webhooks.values()]).toEqual([
      { name: 'slack', url: null, urlEnv: 'SLACK_URL', format: 'slack' },
      { name: 'hook', url: 'http://127.0.0.1:9000/hook', urlEnv: null, format: 'generic' },
    ]);
    expect([...config.checks.values()]).toEqual([
      { kind: 'command', name: 'eval', command: ['npm', 'run', 'evals'], timeoutMs: 1_800_000 },
      { kind: 'url', name: 'ready', url: 'http://127.0.0.1:9000/ready', timeoutMs: 30_000 },
      { kind: 'workflow', name: 'suite', workflowType: 'evalSuite', taskQueue: 'evals', timeoutMs: 86_400_000 },
    ]);
    expect(missingVariables(config, { ADMIN: 'x', OLD: 'x', SLACK_URL: '' })).toEqual([
      { variable: 'SLACK_URL', usedBy: 'webhooks["slack"].urlEnv' },
      { variable: 'ONE', usedBy: 'fleet[0].tokenEnv' },
      { variable: 'NEW_KEY', usedBy: 'tokenKeyEnv' },
      { variable: 'OLD_KEY', usedBy: 'tokenKeyEnv' },
      { variable: 'CLIENT_KEYS', usedBy: 'clientKeysEnv' },
    ]);
  });

  it.each([
    [
      'listen: 0.0.0.0:8700',
      'listen is "0.0.0.0:8700": an address that other machines reach, without client keys. Name an environment variable with the keys: clientKeysEnv, or write allowAnonymous: true',
    ],
    ['listen: 8700', 'listen is 8700: not an address such as "127.0.0.1:8700"'],
    [
      'listen: 127.0.0.1:87000',
      'listen is "127.0.0.1:87000": not an address. Write host and port, such as "127.0.0.1:8700" or "[::1]:8700"',
    ],
    [
      'admin: { listen: 127.0.0.1:8700 }',
      'admin.listen is "127.0.0.1:8700": the address of "listen" too. The admin API has a listener of its own',
    ],
    [
      'admin: { token: abc }',
      'admin.token: a secret has no place in this file. Name an environment variable: tokenEnv',
    ],
    ['tokenKey: abc', 'tokenKey: a secret has no place in this file. Name an environment variable: tokenKeyEnv'],
    [
      'clientKeys: [abc]',
      'clientKeys: a secret has no place in this file. Name an environment variable: clientKeysEnv',
    ],
    ['tokenKeyEnv: [A, B, C]', 'tokenKeyEnv is a list: too many. Name one variable, or two while a key is replaced'],
    [
      'tokenKeyEnv: "secret value"',
      'tokenKeyEnv is "sec…": not the name of an environment variable. Put the secret into the environment and write the name of its variable here',
    ],
    ['fleet: []', 'fleet is a list: empty. Write at least one member, or leave it out for the router of this file'],
    ['fleet: [{ dns: routers }]', 'fleet[0].port is missing: write a whole number from 1 to 65535'],
    ['webhooks: { w: { format: slack } }', 'webhooks.w is a mapping: without one address. Write either url or urlEnv'],
    [
      'webhooks: { w: { url: "http://a", urlEnv: B } }',
      'webhooks.w is a mapping: without one address. Write either url or urlEnv',
    ],
    [
      'checks: { c: { command: npm test } }',
      'checks.c.command is "npm test": not a list of words. Write one such as [npm, run, eval]',
    ],
    ['checks: { c: { workflow: w } }', 'checks.c.taskQueue is missing: write the task queue of its worker'],
    ['judges: {}', 'judges: not available in this version. Leave it out'],
    ['embeddings: {}', 'embeddings: not available in this version. Leave it out'],
    ['redactors: {}', 'redactors: not available in this version. Leave it out'],
    ['promptSets: {}', 'promptSets: not available in this version. Leave it out'],
    ['upstrems: {}', 'upstrems: unknown key. Did you mean "upstreams"?'],
  ])('%s', (line, problem) => {
    expect(problemsOfConfig(`${line}\n${base}`)).toEqual([problem]);
  });

  it.each([
    [
      'apiKey: sk-12345678',
      'upstreams.a.apiKey: a secret has no place in this file. Name an environment variable: apiKeyEnv',
    ],
    [
      'apiKeyEnv: sk-12345678',
      'upstreams.a.apiKeyEnv is "sk-…": not the name of an environment variable. Put the secret into the environment and write the name of its variable here',
    ],
    [
      'headers: { Authorization: Bearer sk-12345678 }',
      'upstreams.a.headers.Authorization is "Aut…": a header that holds a secret. Name an environment variable: apiKeyEnv',
    ],
    ['headers: { "a b": c }', 'upstreams.a.headers["a b"] is "a b": not the name of a header'],
  ])('an upstream with %s', (line, problem) => {
    expect(
      problemsOfConfig(`upstreams: { a: { url: "http://x/v1", model: m, ${line} } }\nroutes: { r: { stable: a } }`),
    ).toEqual([problem]);
  });

  it.each([
    [
      'ftp://x/v1',
      'upstreams.a.url is "ftp://x/v1": not an http or https URL. Write one such as "http://127.0.0.1:8080/v1"',
    ],
    [
      'https://me:password@x/v1',
      'upstreams.a.url is "https://…@x/v1": a URL with credentials. Keep secrets in the environment and out of this file',
    ],
  ])('an upstream at %s', (url, problem) => {
    expect(problemsOfConfig(`upstreams: { a: { url: "${url}", model: m } }\nroutes: { r: { stable: a } }`)).toEqual([
      problem,
    ]);
  });

  it('refuses what does not fit together', () => {
    expect(problemsOfConfig('upstreams: {}\nroutes: { r: { stable: lama } }')).toEqual([
      'upstreams: empty. Write at least one upstream',
      'routes.r.stable is "lama": no upstream of this file. There are none',
    ]);
    expect(
      problemsOfConfig('upstreams: { llama: { url: "http://x", model: m } }\nroutes: { r: { stable: lama } }'),
    ).toEqual(['routes.r.stable is "lama": no upstream of this file. Did you mean "llama"?']);
    expect(problemsOfConfig('upstreams: { "a b": { url: "http://x", model: m } }\nroutes: {}')).toEqual([
      'upstreams["a b"] is "a b": not a name. Use 1 to 120 letters, digits and . _ : / - , starting with a letter or digit',
    ]);
  });

  it('serves other machines with client keys, or without when told so', () => {
    expect(configOf(`listen: 0.0.0.0:8700\nclientKeysEnv: KEYS\n${base}`).clientKeysEnv).toBe('KEYS');
    expect(configOf(`listen: 0.0.0.0:8700\nallowAnonymous: true\n${base}`).allowAnonymous).toBe(true);
  });

  it('names file, line and column', () => {
    const error = errorOf(() =>
      configOf(
        'upstreams:\n  a:\n    url: http://x/v1\n    apiKey: sk-12345678\n    model: m\nroutes: { r: { stable: a } }\n',
      ),
    );
    expect(error.code).toBe('config-invalid');
    expect(error.message).toBe(
      'sluice.yaml:4:5: upstreams.a.apiKey: a secret has no place in this file. Name an environment variable: apiKeyEnv',
    );
  });

  it('says when the file is not there', () => {
    expect(() => parseConfigFile('/nonexistent/sluice.yaml')).toThrow(SluiceError);
    expect(() => parseConfigFile('/nonexistent/sluice.yaml')).toThrow(
      /^\/nonexistent\/sluice\.yaml: cannot be read \(ENOENT.*\)\. Name a file that exists$/,
    );
  });
});
