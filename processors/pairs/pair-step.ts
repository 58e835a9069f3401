import type { Relation } from './relation.ts';
import type { StepPair } from './session-step.ts';

/** What a session's event adds to pair counts: the value of the topic `pair-steps`. */
export interface PairStep {
  readonly relation: Relation;
  readonly item: string;
  /** The item's first time in the session, for this relation; never of viewed-bought, which has no marginals. */
  readonly first: boolean;
  /** Of viewed-bought, forward only: nothing goes to the item's own row, the count neither. */
  readonly pairs: readonly StepPair[];
}
