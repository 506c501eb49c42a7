import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { missingVariables } from '../../src/plan/config-file.js';
import { configOf, problemsOfConfig } from './context.js';

function written(upstream: string, route = '', more = ''): string {
  return `
upstreams: { a: { url: https://models.internal/v1, model: m${upstream} } }
routes: { r: { stable: a${route} } }
${more}
`;
}

describe('what sluice.yaml says of an upstream', () => {
  it('is a time limit, certificates of its own and HTTP/2', () => {
    const [upstream] = configOf(written(', timeout: 90s, caFile: ca.pem, http2: true')).upstreams.values();
    expect(upstream).toMatchObject({ timeoutMs: 90_000, caFile: path.resolve('ca.pem'), http2: true });
  });

  it.each([
    [', timeout: 90', 'upstreams.a.timeout', /90s/],
    [', caFile: ""', 'upstreams.a.caFile', /empty/],
    [', http2: yes please', 'upstreams.a.http2', /true or false/],
  ])('with a fix for%s', (upstream, where, message) => {
    const [problem] = problemsOfConfig(written(upstream));
    expect(problem).toContain(where);
    expect(problem).toMatch(message);
  });

  it.each(['caFile: ca.pem', 'http2: true'])('refuses %s without TLS', (setting) => {
    const [problem] = problemsOfConfig(
      `upstreams: { a: { url: http://127.0.0.1:1/v1, model: m, ${setting} } }\nroutes: { r: { stable: a } }`,
    );
    expect(problem).toMatch(/of use only with TLS. Write an https url/);
  });
});

describe('client keys of a route', () => {
  it('are names of variables, which must be set', () => {
    const config = configOf(written('', ', clientKeysEnv: [TEAM_KEYS, OLD_TEAM_KEYS]'));
    expect([...config.routes.values()][0]?.clientKeysEnv).toEqual(['TEAM_KEYS', 'OLD_TEAM_KEYS']);
    expect(missingVariables(config, {}).map(({ usedBy }) => usedBy)).toContain('routes["r"].clientKeysEnv');
  });

  it('are enough on an address that other machines reach, when every route has some', () => {
    expect(configOf(written('', ', clientKeysEnv: TEAM_KEYS', 'listen: 0.0.0.0:8700')).listen.host).toBe('0.0.0.0');
  });

  it.each(['clientKeys: sk-secret', 'clientKeysEnv: sk-secret'])('are never in the file: %s', (setting) => {
    const problems = problemsOfConfig(written('', `, ${setting}`));
    expect(problems[0]).toMatch(/environment variable/);
  });
});

describe('limits', () => {
  it('have defaults one by one', () => {
    expect(configOf(written('', '', 'limits: { bodyBytes: 1048576, headersTimeout: 5s }')).limits).toEqual({
      headerBytes: 16_384,
      bodyBytes: 1_048_576,
      headersTimeoutMs: 5_000,
      bodyTimeoutMs: 300_000,
    });
  });

  it.each(['bodyBytes: 0', 'headerBytes: 10', 'headersTimeout: 5', 'body: 5'])('refuse %s', (setting) => {
    expect(problemsOfConfig(written('', '', `limits: { ${setting} }`))).toHaveLength(1);
  });
});
