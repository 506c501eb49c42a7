/** From stages as written to frozen stages: names, defaults, looks and shares of the evidence's mixture. */
import { stageName } from './ids.js';
import type { StageName } from './ids.js';
import { lookTimes } from './looks.js';
import type { WrittenPlan } from './plan-schema.js';
import { DEFAULT_PRESET, PRESETS } from './presets.js';
import type { PresetName } from './presets.js';
import type { Path, Problem } from './problem.js';
import { formatPath, valueProblem } from './problem.js';
import { complementOf, formatShare, percentOf } from './share.js';
import { formatDuration } from './duration.js';
import { ladderOf, mixtureShares, servedShare } from './stage-shares.js';
import { stage as stageSchema } from './stage-schema.js';
import type { StageSettings, WrittenStage } from './stage-schema.js';
import { suggestion } from './suggestion.js';
import type { OnUndecided, StagePlan } from './types.js';

const DAY_MS = 86_400_000;
/** Share of stable's requests that the flip mirrors back as control. */
const FLIP_MIRROR_SHARE = 0.1;
const DEFAULT_MIN_REQUESTS = 100;

export interface FrozenStages {
  readonly preset: PresetName | null;
  readonly stages: readonly StagePlan[];
  readonly problems: readonly Problem[];
}

interface NamedStage {
  readonly name: StageName;
  readonly written: WrittenStage;
  readonly path: Path;
}

/** Freezes the stages of a plan whose every value is legal by itself; what does not fit together comes back as problems. */
export function freezeStages(plan: WrittenPlan): FrozenStages {
  const problems: Problem[] = [];
  const preset = typeof plan.stages === 'object' ? null : (plan.stages ?? DEFAULT_PRESET);
  const written =
    typeof plan.stages === 'object'
      ? plan.stages
      : PRESETS[preset ?? DEFAULT_PRESET].map((entry) => stageSchema.parse(entry));
  const named = written.map((entry, index) => ({
    name: entry.name ?? derivedName(entry),
    written: entry,
    path: preset === null ? ['stages', index] : ['stages'],
  }));
  problems.push(...repeatedNames(named), ...fallingShares(named), ...foreignOverrides(plan, preset, named));
  const mixture = mixtureShares(written);
  const lastCanary = written.findLastIndex(({ kind }) => kind === 'canary');
  const stages = named.map((entry, index) => {
    return freezeStage(
      plan,
      entry,
      undecidedDefault(entry.written, index === lastCanary),
      mixture[index] ?? 0,
      problems,
    );
  });
  return { preset, stages, problems };
}

/** Early stages ask only whether there is harm; the last canary and an A/B stage are there to find out. */
function undecidedDefault({ kind }: WrittenStage, isLastCanary: boolean): OnUndecided {
  if (kind === 'ab') return 'hold';
  return isLastCanary ? 'extend' : 'advance';
}

function derivedName(stage: WrittenStage): StageName {
  return stageName(stage.kind === 'canary' ? `canary-${percentOf(stage.share)}` : stage.kind);
}

/** A setting and where it was written: at the stage, under `overrides`, or under `defaults`. */
function settingOf<Key extends keyof StageSettings>(
  plan: WrittenPlan,
  { name, written, path }: NamedStage,
  key: Key,
): { readonly value: NonNullable<StageSettings[Key]>; readonly path: Path; readonly own: boolean } | null {
  const places: readonly (readonly [StageSettings | undefined, Path])[] = [
    [
      written.kind === 'flip' && written.bake !== undefined ? { ...written, for: written.bake } : written,
      [...path, key],
    ],
    [plan.overrides?.[name], ['overrides', name, key]],
    [plan.defaults, ['defaults', key]],
  ];
  // What a preset says itself yields to the plan's own words.
  const ordered = path.length === 1 ? [...places.slice(1), ...places.slice(0, 1)] : places;
  for (const [settings, at] of ordered) {
    const value = settings?.[key];
    if (value !== undefined && value !== null) return { value, path: at, own: at[0] !== 'defaults' };
  }
  return null;
}

function freezeStage(
  plan: WrittenPlan,
  entry: NamedStage,
  defaultUndecided: OnUndecided,
  mixtureShare: number,
  problems: Problem[],
): StagePlan {
  const { written, name, path } = entry;
  if (written.kind === 'flip' && written.bake !== undefined && written.for !== undefined)
    problems.push(
      valueProblem([...path, 'bake'], formatDuration(written.bake), 'the same as "for". Write one of the two'),
    );

  const duration = settingOf(plan, entry, 'for');
  if (duration === null)
    problems.push(valueProblem([...path, 'for'], undefined, 'write a duration such as "7d" or "90s"'));
  const durationMs = duration?.value ?? DAY_MS;

  const interval = settingOf(plan, entry, 'interval');
  if (interval !== null && interval.value > durationMs)
    problems.push(
      valueProblem(
        interval.path,
        formatDuration(interval.value),
        `longer than the stage ${name}. Write at most "${formatDuration(durationMs)}"`,
      ),
    );

  const warmup = settingOf(plan, entry, 'warmup');
  if (warmup !== null && warmup.value >= durationMs)
    problems.push(
      valueProblem(
        warmup.path,
        formatDuration(warmup.value),
        `as long as the stage ${name} or longer. Write less than "${formatDuration(durationMs)}"`,
      ),
    );

  const onUndecided = settingOf(plan, entry, 'onUndecided')?.value ?? defaultUndecided;
  const share = servedShare(written);
  return {
    name,
    kind: written.kind,
    weights: { stable: complementOf(share), candidate: share },
    mirror:
      written.kind === 'shadow'
        ? { variant: 'candidate', share: written.share ?? 1 }
        : written.kind === 'flip'
          ? { variant: 'stable', share: FLIP_MIRROR_SHARE }
          : { variant: 'candidate', share: 0 },
    durationMs,
    ...extension(plan, entry, durationMs, onUndecided, problems),
    minRequests: settingOf(plan, entry, 'minRequests')?.value ?? DEFAULT_MIN_REQUESTS,
    gate: settingOf(plan, entry, 'gate')?.value ?? 'auto',
    onUndecided,
    intervalMs: interval?.value ?? Math.min(60_000, Math.max(1000, Math.round(durationMs / 10_000))),
    warmupMs: warmup?.value ?? Math.min(300_000, Math.round(durationMs / 6)),
    feedbackHorizonMs: plan.feedback?.horizon ?? Math.min(DAY_MS, Math.round(durationMs / 6)),
    window: settingOf(plan, entry, 'window')?.value ?? null,
    checks: settingOf(plan, entry, 'checks')?.value ?? [],
    mixtureShare,
    ladder: ladderOf(share),
  };
}

/** How far the stage may extend, and its looks up to there. */
function extension(
  plan: WrittenPlan,
  entry: NamedStage,
  durationMs: number,
  onUndecided: OnUndecided,
  problems: Problem[],
): Pick<StagePlan, 'maxDurationMs' | 'lookTimesMs'> {
  const longest = settingOf(plan, entry, 'maxFor');
  if (onUndecided !== 'extend') {
    // Under `defaults` it stands for the stages that extend.
    if (longest?.own === true)
      problems.push(
        valueProblem(
          longest.path,
          formatDuration(longest.value),
          `without meaning, since ${entry.name} has onUndecided ${onUndecided}. Leave it out, or write onUndecided: extend`,
        ),
      );
    return { maxDurationMs: durationMs, lookTimesMs: lookTimes(durationMs, durationMs) };
  }
  if (longest !== null && longest.value < durationMs)
    problems.push(
      valueProblem(
        longest.path,
        formatDuration(longest.value),
        `shorter than the stage ${entry.name} itself. Write at least "${formatDuration(durationMs)}"`,
      ),
    );
  const maxDurationMs = Math.max(durationMs, longest?.value ?? 2 * durationMs);
  return { maxDurationMs, lookTimesMs: lookTimes(durationMs, maxDurationMs) };
}

function repeatedNames(stages: readonly NamedStage[]): Problem[] {
  return stages.flatMap(({ name, path }, index) => {
    const first = stages.findIndex((other) => other.name === name);
    if (first === index) return [];
    return [
      valueProblem(
        [...path, 'name'],
        name,
        `the name of stages[${first}] already. Give this stage a name of its own, such as name: ${name}-again`,
      ),
    ];
  });
}

/** A ramp only grows: users whom a stage gave the candidate keep it. */
function fallingShares(stages: readonly NamedStage[]): Problem[] {
  const shares = stages.map(({ written }) => servedShare(written));
  return stages.flatMap(({ written, path }, index) => {
    const before = Math.max(0, ...shares.slice(0, index));
    const share = shares[index] ?? 0;
    if (written.kind === 'flip' && before === 1)
      return [valueProblem([...path, 'kind'], written.kind, 'a second flip. A plan has one, as its last stage')];
    if (share >= before) return [];
    const hasShare = written.kind === 'canary' || written.kind === 'ab';
    const at = hasShare ? 'share' : 'kind';
    const value = hasShare ? formatShare(share) : written.kind;
    return [
      valueProblem(
        [...path, at],
        value,
        `less than the ${formatShare(before)} of an earlier stage. Put the stages in the order of a growing share`,
      ),
    ];
  });
}

function foreignOverrides(plan: WrittenPlan, preset: PresetName | null, stages: readonly NamedStage[]): Problem[] {
  if (plan.overrides === undefined) return [];
  if (preset === null)
    return [
      { path: ['overrides'], message: 'overrides: only for presets. Write the settings at the stages of the list' },
    ];
  const names = stages.map(({ name }) => name);
  return Object.keys(plan.overrides)
    .filter((name) => !names.some((known) => known === name))
    .map((name) => {
      const path = ['overrides', name];
      return { path, message: `${formatPath(path)}: no stage of ${preset}. ${suggestion(name, names)}` };
    });
}
