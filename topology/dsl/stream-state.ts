import type { Serde } from '../../schemas/index.ts';
import type { Plan, Step } from './plan.ts';

/** What a stream, a grouping or a table hands on to the next operator. */
export interface StreamState {
  readonly plan: Plan;
  /** Usually the step's, but a stream over topics that are read already has its own name and the other's source. */
  readonly name: string;
  readonly step: Step;
  readonly keySerde: Serde<unknown> | undefined;
  readonly valueSerde: Serde<unknown> | undefined;
  /** Names of the source nodes above: where a join's partitions come from. */
  readonly sources: ReadonlySet<string>;
  /** The key may have changed since the records were last partitioned. */
  readonly repartitionRequired: boolean;
}
