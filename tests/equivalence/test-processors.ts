import type { KeyValueStore } from '../../state/store.ts';
import type { Processor, ProcessorContext } from '../../topology/processor.ts';
import type { AnyRecord } from '../../topology/graph/operator.ts';
import { mix, text } from './mixing.ts';
import type { SynchronousSupplier } from './naive-processor.ts';

/**
 * Processors of generated topologies. Each is one generator function, which yields the keys that it wants to read: so
 * the same body runs synchronously on loaded state, with an await a key, and inside the interpreter.
 *
 * - `tally` counts a key's records, and forgets every fourth;
 * - `latest` reads and replaces one row that all keys share: its output depends on the order of everything before it;
 * - `twice` forwards before it writes and once more after it;
 * - `chase` reads a row to learn which row to read next, so its keys can't be named ahead.
 */
export interface ProcessorPlan {
  readonly kind: 'tally' | 'latest' | 'twice' | 'chase';
  /** `load` names the keys of a batch ahead; `await` reads one by one. */
  readonly reads: 'load' | 'await';
  readonly tick: { readonly type: 'streamTime' | 'wallClock'; readonly intervalMs: number } | undefined;
}

interface State {
  put(key: string, value: unknown): void;
  delete(key: string): void;
}

type Forward = (key: unknown, value: unknown) => void;
type Body = (record: AnyRecord, state: State, forward: Forward) => Generator<string, void, unknown>;

const latestKey = '@latest';
const tickKey = '@tick';

const bodies: Readonly<Record<ProcessorPlan['kind'], Body>> = {
  *tally({ key, value }, state, forward) {
    const id = text(key);
    const tick = yield tickKey;
    const count = (((yield id) as number | undefined) ?? 0) + 1;
    if (count === 4) state.delete(id);
    else state.put(id, count);
    forward(key, mix(value, count, tick));
  },
  *latest({ key, value }, state, forward) {
    const tick = yield tickKey;
    const latest = yield latestKey;
    state.put(latestKey, mix(value));
    forward(key, mix(value, latest, tick));
  },
  *twice({ key, value }, state, forward) {
    const id = text(key);
    const old = yield id;
    forward(key, mix('1', value, old));
    state.put(id, mix(value));
    forward(key, mix('2', value, old));
  },
  *chase({ key, value }, state, forward) {
    const id = text(key);
    const next = text(yield id);
    const found = yield next;
    state.put(id, text(value));
    state.put(text(value), id);
    forward(key, mix(value, next, found));
  },
};

export function supplierOf(plan: ProcessorPlan, stores: readonly string[]): SynchronousSupplier {
  return {
    get: () => new PlannedProcessor(plan, stores, plan.kind === 'chase' ? 'await' : plan.reads),
    getSynchronous: () => new PlannedProcessor(plan, stores, 'synchronous'),
  };
}

class PlannedProcessor implements Processor<unknown, unknown> {
  readonly #plan: ProcessorPlan;
  readonly #storeNames: readonly string[];
  readonly #reads: 'load' | 'await' | 'synchronous';
  #context!: ProcessorContext;
  #stores!: KeyValueStore<string, unknown>[];
  readonly load?: (records: readonly AnyRecord[]) => Promise<void>;

  constructor(plan: ProcessorPlan, storeNames: readonly string[], reads: 'load' | 'await' | 'synchronous') {
    this.#plan = plan;
    this.#storeNames = storeNames;
    this.#reads = reads;
    if (reads === 'load') this.load = (records) => this.#store.load(this.#keysOf(records));
  }

  get #store(): KeyValueStore<string, unknown> {
    return this.#stores[0]!;
  }

  #keysOf(records: readonly AnyRecord[]): Set<string> {
    return new Set([latestKey, tickKey, ...records.map(({ key }) => text(key))]);
  }

  init(context: ProcessorContext): void {
    this.#context = context;
    this.#stores = this.#storeNames.map((name) => context.getStateStore<KeyValueStore<string, unknown>>(name));
    const { tick } = this.#plan;
    if (tick === undefined) return;
    context.schedule(tick.intervalMs, tick.type, (now) => {
      this.#store.put(tickKey, now);
      context.forward({ key: `@tick${context.partition}`, value: `${tick.type} ${now}`, timestamp: now, headers: [] });
    });
  }

  process(record: AnyRecord): Promise<void> | void {
    const state: State = {
      put: (key, value) => {
        for (const store of this.#stores) store.put(key, value);
      },
      delete: (key) => {
        for (const store of this.#stores) store.delete(key);
      },
    };
    const reads = bodies[this.#plan.kind](record, state, (key, value) =>
      this.#context.forward({ ...recordOf(record), key, value }),
    );
    if (this.#reads === 'await') return this.#readOneByOne(reads);
    for (let step = reads.next(); step.done !== true;) step = reads.next(this.#store.getLoaded(step.value));
  }

  async #readOneByOne(reads: Generator<string, void, unknown>): Promise<void> {
    for (let step = reads.next(); step.done !== true;) step = reads.next(await this.#store.get(step.value));
  }
}

function recordOf({ key, value, timestamp, headers }: AnyRecord): AnyRecord {
  return { key, value, timestamp, headers };
}
