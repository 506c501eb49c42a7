import { describe, expect, it } from 'vitest';
import { configJsonSchema, planJsonSchema } from '../../src/plan/json-schema.js';

interface Key {
  readonly path: string;
  readonly described: boolean;
}

/** Every property of a JSON Schema, with whether it has a description. */
function keysOf(schema: unknown, path = ''): readonly Key[] {
  if (Array.isArray(schema)) return schema.flatMap((entry, index) => keysOf(entry, `${path}[${index}]`));
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) => {
    if (key !== 'properties' || typeof value !== 'object' || value === null) return keysOf(value, path);
    return Object.entries(value).flatMap(([name, property]: [string, unknown]) => [
      {
        path: `${path}.${name}`,
        described: typeof property === 'object' && property !== null && 'description' in property,
      },
      ...keysOf(property, `${path}.${name}`),
    ]);
  });
}

describe.each([
  ['plan', planJsonSchema, ['.route', '.candidate', '.stages', '.guardrails.error_rate', '.defaults.for']],
  ['sluice.yaml', configJsonSchema, ['.upstreams', '.routes', '.listen', '.admin.tokenEnv']],
] as const)('JSON Schema of %s', (_, make, some) => {
  it('describes every key', () => {
    const keys = keysOf(make());
    expect(keys.map(({ path }) => path)).toEqual(expect.arrayContaining([...some]));
    expect(keys.filter(({ described }) => !described)).toEqual([]);
  });

  it('is plain JSON that allows no other keys', () => {
    const schema = make();
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
  });
});

it('the plan needs two keys, and names the presets of this version', () => {
  const schema = JSON.stringify(planJsonSchema());
  expect(planJsonSchema()).toMatchObject({ required: ['route', 'candidate'] });
  expect(schema).toContain('"five-week"');
  expect(schema).not.toContain('blue-green');
});
