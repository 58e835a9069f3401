import { jsonSerde, type Serde } from '../../schemas/index.ts';
import type { StoreSpec } from '../graph/graph.ts';
import { Topology } from '../topology.ts';
import type { KStream } from './k-stream.ts';
import { NameCounter } from './names.ts';
import type { StreamState } from './stream-state.ts';

/**
 * What the fluent calls have said so far, in the order in which they were said; `build` writes it to a Topology.
 *
 * It is not written at once, because later calls change earlier nodes: a table gets its store when somebody joins it,
 * and a repartition lets null keys through when a left join comes after it (KIP-962).
 */
export class Plan {
  readonly names = new NameCounter();
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
  readonly #stores: StoreSpec[] = [];
  readonly #steps: Step[] = [];

  /** Streams make tables and tables make streams: this is how a table's file does without importing the stream's. */
  readonly newStream: (state: StreamState) => KStream<unknown, unknown>;

  constructor(
    defaults: { readonly keySerde?: Serde<unknown> | undefined; readonly valueSerde?: Serde<unknown> | undefined },
    newStream: (state: StreamState) => KStream<unknown, unknown>,
  ) {
    this.newStream = newStream;
    this.keySerde = defaults.keySerde ?? jsonSerde();
    this.valueSerde = defaults.valueSerde ?? jsonSerde();
  }

  addStore(store: StoreSpec): void {
    this.#stores.push(store);
  }

  add(step: Step): Step {
    this.#steps.push(step);
    return step;
  }

  build(): Topology {
    const topology = new Topology();
    const beforeLeftJoin = this.#beforeLeftJoin();
    for (const store of this.#stores) topology.addStateStore(store);
    for (const step of this.#steps) step.write(topology, beforeLeftJoin.has(step));
    return topology;
  }

  /** All steps that have a left join somewhere below them. Parents come before children, so one pass from the end. */
  #beforeLeftJoin(): ReadonlySet<Step> {
    const found = new Set<Step>();
    for (const step of this.#steps.toReversed()) {
      if (step.isLeftJoin !== true && !found.has(step)) continue;
      for (const parent of step.parents) found.add(parent);
    }
    return found;
  }
}

/** One operator. It may become several nodes; children attach to `name`. */
export interface Step {
  readonly name: string;
  readonly parents: readonly Step[];
  readonly isLeftJoin?: boolean;
  write(topology: Topology, isBeforeLeftJoin: boolean): void;
}
