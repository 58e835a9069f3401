import { shopTopics, storeNames } from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import { concatBytes, keyAfter, prefixEnd, type Engine, type EngineSnapshot } from '../../state/index.ts';
import { describeExecution, type EmbeddedRuntime, type StoreSpec, type Topology } from '../../topology/index.ts';
import { fetchedRows } from './fetched-rows.ts';
import type { Answers, FetchRequest, Request, ScanAnswer, SourceOffset, StoreAnswer, StoreFacts } from './messages.ts';
import { rangePage } from './store-range.ts';
import { decodeValue, encodeKey } from './store-rows.ts';
import { windowsOf } from './store-windows.ts';
import { titleSearch } from './title-search.ts';

/**
 * Reads committed state for other threads. A read takes a snapshot of the database while no commit is on its way, so
 * that the offsets it names are those the rows follow from.
 */
export class StoreReader {
  readonly #engine: Engine;
  readonly #runtime: EmbeddedRuntime;

  constructor(engine: Engine, runtime: EmbeddedRuntime) {
    this.#engine = engine;
    this.#runtime = runtime;
  }

  /** The key as text: as it is where keys are strings, JSON where they are anything else. */
  async get(store: string, key: string): Promise<StoreAnswer> {
    const spec = this.#spec(store);
    const encoded = encodeKey(spec, key);
    return this.#read(async (snapshot, asOf) => {
      for (const { partition } of this.#runtime.stores(store)) {
        const row = concatBytes(this.#runtime.storePrefix(store, partition), encoded);
        const [value] = await snapshot.getMany('state', [row]);
        if (value !== undefined) return { found: true, partition, value: decodeValue(spec, value), asOf };
      }
      return { found: false, partition: undefined, value: null, asOf };
    });
  }

  /** Several rows, perhaps of several stores, as of one commit; null where there is none. */
  async getMany(keys: Extract<Request, { kind: 'getMany' }>['keys']): Promise<Answers['getMany']> {
    const rows = keys.flatMap(({ store, key }, place) => {
      const spec = this.#spec(store);
      const encoded = encodeKey(spec, key);
      const prefixes = this.#runtime.stores(store).map(({ partition }) => this.#runtime.storePrefix(store, partition));
      return prefixes.map((prefix) => ({ place, spec, row: concatBytes(prefix, encoded) }));
    });
    return this.#read(async (snapshot, asOf) => {
      const found = await snapshot.getMany(
        'state',
        rows.map(({ row }) => row),
      );
      const values: unknown[] = keys.map(() => null);
      rows.forEach(({ place, spec }, at) => {
        const bytes = found[at];
        if (bytes !== undefined) values[place] = decodeValue(spec, bytes);
      });
      return { values, asOf };
    });
  }

  /** For the HTTP thread: what it does not hold, as of one commit. */
  async fetch(request: FetchRequest): Promise<ArrayBuffer> {
    const partitions = this.#runtime.stores(storeNames.pairs).length;
    const prefixOf = (store: string, partition: number) => this.#runtime.storePrefix(store, partition);
    return this.#read((snapshot) => fetchedRows(snapshot, request, { partitions, prefixOf }));
  }

  async scan({ store, partition, after, limit }: Extract<Request, { kind: 'scan' }>): Promise<ScanAnswer> {
    this.#spec(store);
    const prefix = this.#runtime.storePrefix(store, partition);
    const gte = after === null ? prefix : keyAfter(concatBytes(prefix, after));
    return this.#read(async (snapshot, asOf) => {
      const rows: { key: Uint8Array; value: Uint8Array }[] = [];
      for await (const entries of snapshot.range('state', { gte, lt: prefixEnd(prefix), limit })) {
        for (const { key, value } of entries) rows.push({ key: key.slice(prefix.length), value: value.slice() });
      }
      return { rows, done: rows.length < limit, asOf };
    });
  }

  async range(request: Extract<Request, { kind: 'range' }>): Promise<Answers['range']> {
    const spec = this.#spec(request.store);
    const partitions = this.#partitions(request.store);
    return this.#read(async (snapshot, asOf) => ({
      ...(await rangePage(snapshot, { spec, partitions, request })),
      asOf,
    }));
  }

  async search(request: Extract<Request, { kind: 'search' }>): Promise<Answers['search']> {
    const partitions = this.#runtime.stores(storeNames.titleWords).length;
    const prefixOf = (store: string, partition: number) => this.#runtime.storePrefix(store, partition);
    return this.#read(async (snapshot, asOf) => ({
      ...(await titleSearch(snapshot, request, { partitions, prefixOf })),
      asOf,
    }));
  }

  async windows(request: Extract<Request, { kind: 'windows' }>): Promise<Answers['windows']> {
    const spec = this.#spec(request.store);
    const partitions = this.#partitions(request.store);
    return this.#read(async (snapshot, asOf) => ({
      found: (await windowsOf(snapshot, { spec, partitions, request })) ?? null,
      asOf,
    }));
  }

  stores(): StoreFacts[] {
    const { graph } = this.#runtime;
    return [...graph.stores.values()].map((spec) => {
      const partitions = this.#runtime.stores(spec.name);
      const sum = (of: 'cachedBytes' | 'dirtyBytes') => partitions.reduce((total, store) => total + store[of], 0);
      return {
        name: spec.name,
        kind: spec.kind,
        partitions: partitions.length,
        keySerde: spec.keySerde.name,
        valueSerde: spec.valueSerde.name,
        subtopology: graph.subtopologies.find(({ stores }) => stores.includes(spec.name))!.id,
        cachedBytes: sum('cachedBytes'),
        dirtyBytes: sum('dirtyBytes'),
      };
    });
  }

  topology(): { topology: Topology; execution: string } {
    return { topology: this.#runtime.topology, execution: describeExecution(this.#runtime.graph) };
  }

  /** Offsets of the topics that come from outside: what an answer reflects. */
  sourceOffsets(): readonly SourceOffset[] {
    return sourceOffsets(this.#runtime.committedOffsets);
  }

  async #read<T>(read: (snapshot: EngineSnapshot, asOf: readonly SourceOffset[]) => Promise<T>): Promise<T> {
    await this.#runtime.commitSettled();
    const asOf = this.sourceOffsets();
    await using snapshot = this.#engine.snapshot();
    return await read(snapshot, asOf);
  }

  #partitions(store: string): { readonly partition: number; readonly prefix: Uint8Array }[] {
    return this.#runtime
      .stores(store)
      .map(({ partition }) => ({ partition, prefix: this.#runtime.storePrefix(store, partition) }));
  }

  #spec(store: string): StoreSpec {
    const spec = this.#runtime.graph.stores.get(store);
    if (spec !== undefined) return spec;
    const names = [...this.#runtime.graph.stores.keys()].join(', ');
    throw new MillraceError('STORE_NOT_FOUND', `There is no store '${store}'; stores: ${names}.`, { store });
  }
}

/** A commit drains what lies between the tasks, so the offsets of the sources alone say what it reflects. */
export function sourceOffsets(committed: readonly SourceOffset[]): readonly SourceOffset[] {
  return committed.filter(({ topic }) => topic === shopTopics.interactions || topic === shopTopics.productsHistory);
}
