/** The five search attributes of a rollout. They are for people's lists; nothing depends on them. */
import type { Connection } from '@temporalio/client';
import { SluiceError } from '../plan/failures.js';

/** Name and type of each. */
export const SEARCH_ATTRIBUTES = {
  SluiceRoute: 'Keyword',
  SluiceStage: 'Keyword',
  SluiceState: 'Keyword',
  SluiceCandidate: 'Keyword',
  SluiceCandidatePercent: 'Double',
} as const satisfies Readonly<Record<string, 'Keyword' | 'Double'>>;

export type SearchAttributeName = keyof typeof SEARCH_ATTRIBUTES;

/** `IndexedValueType` of Temporal's API. */
const INDEXED_VALUE_TYPE = { Keyword: 2, Double: 4 } as const;

export interface SearchAttributeCheck {
  /** All five are there with their types: a workflow may set them. */
  readonly registered: boolean;
  readonly missing: readonly SearchAttributeName[];
  /** There under the name, with another type: must be removed by hand. */
  readonly wrongType: readonly SearchAttributeName[];
}

type OperatorConnection = Pick<Connection, 'operatorService' | 'withDeadline'>;

/** `--search-attribute` arguments for the dev server. */
export function searchAttributeFlags(): readonly string[] {
  return names().map((name) => `${name}=${SEARCH_ATTRIBUTES[name]}`);
}

/**
 * Asks the namespace which of the five it has.
 * @throws SluiceError `temporal-unreachable` when the operator service does not answer (Temporal Cloud has none)
 */
export async function checkSearchAttributes(
  connection: OperatorConnection,
  namespace: string,
): Promise<SearchAttributeCheck> {
  const found = await ask(connection, namespace);
  const missing = names().filter((name) => found[name] === undefined);
  const wrongType = names().filter(
    (name) => found[name] !== undefined && found[name] !== INDEXED_VALUE_TYPE[SEARCH_ATTRIBUTES[name]],
  );
  return { registered: missing.length === 0 && wrongType.length === 0, missing, wrongType };
}

/** Registers those that are missing; a type that is wrong already is reported and left alone. */
export async function registerSearchAttributes(
  connection: OperatorConnection,
  namespace: string,
): Promise<SearchAttributeCheck> {
  const before = await checkSearchAttributes(connection, namespace);
  if (before.missing.length === 0) return before;
  await connection.withDeadline(Date.now() + 5_000, () =>
    connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(
        before.missing.map((name) => [name, INDEXED_VALUE_TYPE[SEARCH_ATTRIBUTES[name]]]),
      ),
    }),
  );
  return checkSearchAttributes(connection, namespace);
}

/** The command that registers one by hand. */
export function registerCommand(name: SearchAttributeName, namespace: string): string {
  return `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${SEARCH_ATTRIBUTES[name]}`;
}

async function ask(
  connection: OperatorConnection,
  namespace: string,
): Promise<Readonly<Record<string, number | undefined>>> {
  try {
    const answer = await connection.withDeadline(Date.now() + 5_000, () =>
      connection.operatorService.listSearchAttributes({ namespace }),
    );
    return Object.fromEntries(Object.entries(answer.customAttributes ?? {}));
  } catch (error) {
    throw new SluiceError(
      'temporal-unreachable',
      `the search attributes of namespace ${namespace} cannot be listed: ${error instanceof Error ? error.message : 'unknown reason'}; they are optional, rollouts run without them`,
      { cause: error },
    );
  }
}

function names(): readonly SearchAttributeName[] {
  return ['SluiceRoute', 'SluiceStage', 'SluiceState', 'SluiceCandidate', 'SluiceCandidatePercent'];
}
