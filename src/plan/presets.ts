/** Presets: lists of stages under a name, written as a person would write them. */

export const PRESET_NAMES = ['five-week', 'canary', 'ab', 'shadow-only'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

interface PresetStage {
  readonly kind: 'shadow' | 'canary' | 'ab' | 'flip';
  readonly share?: string;
  readonly for: string;
}

export const DEFAULT_PRESET: PresetName = 'five-week';

export const PRESETS: Readonly<Record<PresetName, readonly PresetStage[]>> = {
  'five-week': [
    { kind: 'shadow', share: '100%', for: '7d' },
    { kind: 'canary', share: '5%', for: '7d' },
    { kind: 'canary', share: '25%', for: '7d' },
    { kind: 'canary', share: '50%', for: '7d' },
    { kind: 'flip', for: '7d' },
  ],
  canary: [
    { kind: 'canary', share: '5%', for: '1d' },
    { kind: 'canary', share: '10%', for: '1d' },
    { kind: 'canary', share: '25%', for: '1d' },
    { kind: 'canary', share: '50%', for: '1d' },
    { kind: 'flip', for: '1d' },
  ],
  ab: [{ kind: 'ab', share: '50%', for: '14d' }],
  'shadow-only': [{ kind: 'shadow', share: '100%', for: '7d' }],
};
