import type { KStream } from './k-stream.ts';
import type { Named } from './options.ts';
import type { StreamState } from './stream-state.ts';

/** The newest value of each key, and every change of it. Deleted keys have none. */
export class KTable<K, V> {
  /** @internal */
  readonly state: StreamState;
  /** @internal Makes sure that the table has a store, and names it. */
  readonly materialize: () => string;
  /** For the compiler only: a table of other keys or values is another type. */
  declare protected readonly types?: readonly [K, V];

  /** @internal Made by `StreamsBuilder.table` and aggregations. */
  constructor(state: StreamState, materialize: () => string) {
    this.state = state;
    this.materialize = materialize;
  }

  /** Every change as a record: the key's new value, or null when it was deleted. */
  toStream(options: Named = {}): KStream<K, V | null> {
    const { plan, step } = this.state;
    const name = plan.names.given(options.name, 'KTABLE-TOSTREAM-');
    const toStream = plan.add({
      name,
      parents: [step],
      write: (topology) => void topology.addOperator(name, { op: 'toStream', mapper: undefined }, [step.name]),
    });
    const state = { ...this.state, name, step: toStream, repartitionRequired: false };
    return plan.newStream(state) as KStream<K, V | null>;
  }
}
