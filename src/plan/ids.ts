/**
 * Branded identifiers: a route name can never be passed where an upstream name is meant.
 * Each has one parser, which throws with the value and the rule it breaks.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The virtual model name that clients send as `model`. */
export type RouteName = Branded<'RouteName'>;
/** Name of an upstream in `sluice.yaml`. */
export type UpstreamName = Branded<'UpstreamName'>;
/** Name of a stage, unique within its plan: `shadow`, `canary-5`, `flip`. */
export type StageName = Branded<'StageName'>;
/** One run of a plan: `<route>@<start, ISO 8601, seconds>`. */
export type RolloutId = Branded<'RolloutId'>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}$/;
const ROLLOUT = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}@\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;

function isName(value: string): value is RouteName & UpstreamName & StageName {
  return NAME.test(value);
}

function isRolloutId(value: string): value is RolloutId {
  return ROLLOUT.test(value);
}

function nameOf(what: string, value: string): RouteName & UpstreamName & StageName {
  if (isName(value)) return value;
  throw new TypeError(
    `${what} "${value}" is not a name: use 1 to 120 letters, digits and . _ : / - , starting with a letter or digit`,
  );
}

/** @throws TypeError when `value` is not a legal name */
export function routeName(value: string): RouteName {
  return nameOf('route', value);
}

/** @throws TypeError when `value` is not a legal name */
export function upstreamName(value: string): UpstreamName {
  return nameOf('upstream', value);
}

/** @throws TypeError when `value` is not a legal name */
export function stageName(value: string): StageName {
  return nameOf('stage', value);
}

/** @throws TypeError when `value` is not `<route>@<ISO time>Z` */
export function rolloutId(value: string): RolloutId {
  if (isRolloutId(value)) return value;
  throw new TypeError(`rollout "${value}" is not <route>@<ISO 8601 time>Z`);
}
