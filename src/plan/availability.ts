/** What the words of a plan name and this version cannot do yet, in one place: what gets built leaves these lists. */

export const NOT_AVAILABLE = 'not available in this version';

export const STAGE_KINDS = ['shadow', 'canary', 'ab', 'flip'] as const;
export const STAGE_KINDS_TO_COME: readonly string[] = ['validate'];

export const PRESETS_TO_COME: readonly string[] = ['blue-green'];

export const GUARDRAILS_TO_COME: readonly string[] = ['divergence', 'judge'];

export const CONFIG_SECTIONS_TO_COME: readonly string[] = ['judges', 'embeddings', 'redactors', 'promptSets'];
