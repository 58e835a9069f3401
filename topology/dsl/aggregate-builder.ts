import type { StoreSpec } from '../graph/graph.ts';
import type { Operator } from '../graph/operator.ts';
import type { Step } from './plan.ts';
import { repartition } from './repartition.ts';
import type { StreamState } from './stream-state.ts';

/**
 * Puts an aggregation below a grouping, with a repartition before it when the key has changed. The topic takes the
 * grouping's name, then all aggregations of the grouping share it; without one each has its own, named for its store.
 */
export class AggregateBuilder {
  readonly #state: StreamState;
  readonly #groupedName: string | undefined;
  #shared: Step | undefined;

  constructor(state: StreamState, groupedName: string | undefined) {
    this.#state = state;
    this.#groupedName = groupedName;
  }

  add(
    name: string,
    store: StoreSpec,
    operator: Operator,
  ): { readonly step: Step; readonly sources: ReadonlySet<string> } {
    const parent = this.#parent(store.name);
    const step = this.#state.plan.add({
      name,
      parents: [parent],
      write(topology) {
        topology.addOperator(name, operator, [parent.name]);
        topology.addStateStore(store, name);
      },
    });
    return { step, sources: parent === this.#state.step ? this.#state.sources : new Set([parent.name]) };
  }

  #parent(storeName: string): Step {
    const { plan, step, keySerde, valueSerde, repartitionRequired } = this.#state;
    if (!repartitionRequired) return step;
    const through = repartition(plan, { prefix: this.#groupedName ?? storeName, keySerde, valueSerde });
    if (this.#shared === undefined || this.#groupedName === undefined) this.#shared = through.addTo(step);
    return this.#shared;
  }
}
