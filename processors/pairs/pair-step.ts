import type { Relation } from './relation.ts';
import type { StepPair } from './session-step.ts';

/** What a session's event adds to pair counts: the value of the topic `pair-steps`. */
export interface PairStep {
  readonly relation: Relation;
  readonly item: string;
  /** The item's first time in the session, for this relation. */
  readonly first: boolean;
  readonly pairs: readonly StepPair[];
}
