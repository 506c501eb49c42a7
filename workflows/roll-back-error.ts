import type { GuardrailName } from '../src/plan/types.js';
import type { CommandInput, RollingBack } from './state.js';

/** Leaves the pipeline towards `orRollBack`: whatever was going on ends here. */
export class RollBack extends Error {
  override readonly name = 'RollBack';
  readonly by: string;
  readonly reason: string;
  readonly guardrails: readonly GuardrailName[];
  readonly look: RollingBack['look'];

  constructor(by: string, reason: string, guardrails: readonly GuardrailName[] = [], look: RollingBack['look'] = null) {
    super(reason);
    this.by = by;
    this.reason = reason;
    this.guardrails = guardrails;
    this.look = look;
  }

  static asked({ by, reason }: CommandInput): RollBack {
    return new RollBack(by, reason);
  }
}
