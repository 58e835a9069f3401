import { shopTopics, storeNames } from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import {
  concatBytes,
  keyAfter,
  prefixEnd,
  type Engine,
  type EngineSnapshot,
  type StateStore,
} from '../../state/index.ts';
import type { RestoreProgress, StandbyStore, StoreSpec, Topology } from '../../topology/index.ts';
import { fetchedRows } from './fetched-rows.ts';
import type { Answers, Request, SourceOffset, StoreFacts } from './messages.ts';
import { rangePage } from './store-range.ts';
import { decodeValue, encodeKey } from './store-rows.ts';
import { windowsOf } from './store-windows.ts';
import { titleSearch } from './title-search.ts';

/** Questions about the rows of stores. */
export type Query = Extract<
  Request,
  { readonly kind: 'get' | 'getMany' | 'fetch' | 'scan' | 'range' | 'search' | 'windows' }
>;

export type QueryOf<K extends Query['kind']> = Extract<Query, { readonly kind: K }>;

/** What the partitions say that are here. */
export interface AnswerHere<K extends Query['kind'] = Query['kind']> {
  readonly answer: Answers[K];
  readonly asOf: readonly SourceOffset[];
  /** Ids of the tasks whose state was read. */
  readonly tasks: readonly string[];
  /** Those of them that do not run here: what they lack of their changelogs, in records; null while that is not known. */
  readonly standbys: readonly StandbyLag[];
}

export interface StandbyLag {
  readonly task: string;
  readonly lagRecords: number | null;
}

/** Whatever runs the topology: the state of its tasks that are open in this process. */
export interface ReadableState {
  readonly topology: Topology;
  readonly runningTasks: readonly string[];
  readonly committedOffsets: readonly SourceOffset[];
  /** Resolves when no commit is being written: then the database and `committedOffsets` agree. */
  commitSettled(): Promise<void>;
  stores(name: string): readonly StateStore[];
  storePrefix(name: string, partition: number): Uint8Array;
  /** All instances' together. */
  partitionsOf(store: string): number;
  /** Restores of a store that are under way. None where state needs no changelog. */
  restoresOf?(store: string): readonly RestoreProgress[];
  /** Of tasks whose state is here, and that do not run here. None where all tasks run here. */
  standbyStores?(name: string): readonly StandbyStore[];
}

/**
 * Reads committed state for other threads. A read takes a snapshot of the database while no commit is on its way, so
 * that the offsets it names are those the rows follow from.
 */
export class StoreReader {
  readonly #engine: Engine;
  readonly #state: ReadableState;

  constructor(engine: Engine, state: ReadableState) {
    this.#engine = engine;
    this.#state = state;
  }

  /** `stale`: also of standbys, which may lack what their task has committed since. */
  async ask<K extends Query['kind']>(query: QueryOf<K>, stale = false): Promise<AnswerHere<K>> {
    for (const store of storesOf(query)) this.spec(store);
    await this.#state.commitSettled();
    const asOf = this.sourceOffsets();
    const here = new Here(this.#state, stale);
    const standbys = [...here.standbys].map(([task, lagRecords]) => ({ task, lagRecords }));
    const tasks = [...this.#state.runningTasks, ...here.standbys.keys()];
    await using snapshot = this.#engine.snapshot();
    return { answer: (await this.#answer(query, { snapshot, asOf, here })) as Answers[K], asOf, tasks, standbys };
  }

  async #answer(query: Query, { snapshot, asOf, here }: Read): Promise<Answers[Query['kind']]> {
    const { partitionsOf } = this;
    switch (query.kind) {
      case 'get': {
        const [found] = await this.#rows([query], snapshot, here);
        if (found === undefined) return { found: false, partition: undefined, value: null, asOf };
        return { found: true, partition: found.partition, value: found.value, asOf };
      }
      case 'getMany': {
        const values: unknown[] = query.keys.map(() => null);
        for (const { place, value } of await this.#rows(query.keys, snapshot, here)) values[place] = value;
        return { values, asOf };
      }
      case 'fetch': {
        const partitions = partitionsOf(storeNames.pairs);
        const { partitions: partitionsHere, prefixOf } = here;
        return await fetchedRows(snapshot, query, { partitions, partitionsHere, prefixOf });
      }
      case 'scan':
        return { ...(await scannedRows(snapshot, query, here)), asOf };
      case 'range':
        return { ...(await rangePage(snapshot, this.#within(query, here))), asOf };
      case 'search': {
        const partitions = partitionsOf(storeNames.titleWords);
        const partitionsHere = here.partitions(storeNames.titleWords);
        return {
          ...(await titleSearch(snapshot, query, { partitions, partitionsHere, prefixOf: here.prefixOf })),
          asOf,
        };
      }
      case 'windows':
        return { found: (await windowsOf(snapshot, this.#within(query, here))) ?? null, asOf };
    }
  }

  /** Of `keys` those that are here, with their places among them. */
  async #rows(keys: readonly StoreKey[], snapshot: EngineSnapshot, here: Here): Promise<FoundRow[]> {
    const wanted = keys.flatMap(({ store, key }, place) => {
      const spec = this.spec(store);
      const encoded = encodeKey(spec, key).slice();
      return here.partitions(store).map((partition) => {
        return { place, spec, partition, row: concatBytes(here.prefixOf(store, partition), encoded) };
      });
    });
    const found = await snapshot.getMany(
      'state',
      wanted.map(({ row }) => row),
    );
    return wanted.flatMap(({ place, spec, partition }, at) => {
      const bytes = found[at];
      return bytes === undefined ? [] : [{ place, partition, value: decodeValue(spec, bytes) }];
    });
  }

  #within<Q extends { readonly store: string }>(request: Q, here: Here) {
    const { store } = request;
    const partitions = here.partitions(store).map((partition) => {
      return { partition, prefix: here.prefixOf(store, partition) };
    });
    return { spec: this.spec(store), partitions, request };
  }

  stores(): StoreFacts[] {
    const { graph } = this.#state.topology;
    return [...graph.stores.values()].map((spec) => {
      const here = this.#state.stores(spec.name);
      const sum = (of: 'cachedBytes' | 'dirtyBytes') => here.reduce((total, store) => total + store[of], 0);
      return {
        name: spec.name,
        kind: spec.kind,
        partitions: this.partitionsOf(spec.name),
        keySerde: spec.keySerde.name,
        valueSerde: spec.valueSerde.name,
        subtopology: this.subtopologyOf(spec.name),
        cachedBytes: sum('cachedBytes'),
        dirtyBytes: sum('dirtyBytes'),
        restoring: (this.#state.restoresOf?.(spec.name) ?? []).map(restoringFacts),
      };
    });
  }

  /** Offsets of the topics that come from outside: what an answer reflects. */
  sourceOffsets(): readonly SourceOffset[] {
    return sourceOffsets(this.#state.committedOffsets);
  }

  readonly partitionsOf = (store: string): number => this.#state.partitionsOf(store);

  subtopologyOf(store: string): number {
    return this.#state.topology.graph.subtopologies.find(({ stores }) => stores.includes(store))!.id;
  }

  /** @throws MillraceError `STORE_NOT_FOUND` */
  spec(store: string): StoreSpec {
    const { stores } = this.#state.topology.graph;
    const spec = stores.get(store);
    if (spec !== undefined) return spec;
    throw new MillraceError(
      'STORE_NOT_FOUND',
      `There is no store '${store}'; stores: ${[...stores.keys()].join(', ')}.`,
      {
        store,
      },
    );
  }
}

type StoreKey = Extract<Request, { kind: 'getMany' }>['keys'][number];

interface FoundRow {
  readonly place: number;
  readonly partition: number;
  readonly value: unknown;
}

interface Read {
  readonly snapshot: EngineSnapshot;
  readonly asOf: readonly SourceOffset[];
  readonly here: Here;
}

/** Where rows lie, as of the snapshot: tasks come and go. */
class Here {
  readonly #state: ReadableState;
  readonly #partitions = new Map<string, readonly number[]>();
  /** Lags, by task. */
  readonly standbys = new Map<string, number | null>();

  constructor(state: ReadableState, stale: boolean) {
    this.#state = state;
    for (const name of state.topology.graph.stores.keys()) {
      const partitions = state.stores(name).map(({ partition }) => partition);
      for (const { taskId, store, lagRecords } of stale ? (state.standbyStores?.(name) ?? []) : []) {
        const known = this.standbys.get(taskId);
        const lag = known === null || lagRecords === undefined ? null : Math.max(known ?? 0, lagRecords);
        this.standbys.set(taskId, lag);
        partitions.push(store.partition);
      }
      this.#partitions.set(name, partitions);
    }
  }

  readonly partitions = (store: string): readonly number[] => this.#partitions.get(store)!;

  readonly prefixOf = (store: string, partition: number): Uint8Array => this.#state.storePrefix(store, partition);
}

async function scannedRows(snapshot: EngineSnapshot, { store, partition, after, limit }: QueryOf<'scan'>, here: Here) {
  const rows: { key: Uint8Array; value: Uint8Array }[] = [];
  if (!here.partitions(store).includes(partition)) return { rows, done: true };
  const prefix = here.prefixOf(store, partition);
  const gte = after === null ? prefix : keyAfter(concatBytes(prefix, after));
  for await (const entries of snapshot.range('state', { gte, lt: prefixEnd(prefix), limit })) {
    for (const { key, value } of entries) rows.push({ key: key.slice(prefix.length), value: value.slice() });
  }
  return { rows, done: rows.length < limit };
}

function restoringFacts(progress: RestoreProgress): StoreFacts['restoring'][number] {
  const { partition, records, recordsMax, recordsPerSecond, remainingMs, full } = progress;
  const rate = Math.round(recordsPerSecond);
  return { partition, records, recordsMax, recordsPerSecond: rate, remainingMs: remainingMs ?? null, full };
}

/** Stores whose rows a query reads. */
export function storesOf(query: Query): readonly string[] {
  switch (query.kind) {
    case 'getMany':
      return query.keys.map(({ store }) => store);
    case 'search':
      return [storeNames.titleWords, storeNames.products, storeNames.productStats, storeNames.productTitles];
    case 'fetch':
      return fetchedStores(query);
    default:
      return [query.store];
  }
}

function fetchedStores(query: QueryOf<'fetch'>): readonly string[] {
  const stores: string[] = [];
  if (query.productsOf.length > 0) stores.push(storeNames.productStats, storeNames.pairItems);
  if (query.namesOf.length + query.pairsOf.length > 0) stores.push(storeNames.pairItems);
  if (query.titlesOf.length + query.categoriesOf.length > 0) stores.push(storeNames.productStats);
  if (query.topsOf.length > 0) stores.push(storeNames.categoryTops);
  if (query.users.length > 0) stores.push(storeNames.userProfiles);
  return stores;
}

/** A commit drains what lies between the tasks, so the offsets of the sources alone say what it reflects. */
export function sourceOffsets(committed: readonly SourceOffset[]): readonly SourceOffset[] {
  return committed.filter(({ topic }) => topic === shopTopics.interactions || topic === shopTopics.productsHistory);
}
