import { concatBytes, keyAfter, prefixEnd, WriteBatchBuilder, type Engine } from '../../state/index.ts';
import { canonicalJson, type Fingerprint, type StoreFingerprint } from '../graph/fingerprint.ts';
import { ApplicationState } from './application-state.ts';
import { storePrefix } from './store-factory.ts';

export interface StoreAddition {
  readonly applicationId: string;
  /** The new store, as the topology has it. */
  readonly store: StoreFingerprint;
  /** A store of the sub-topology that gets it. */
  readonly beside: string;
  /** Rows of the new store, from what the application's other stores hold. */
  rows(stored: StoredTables): AsyncIterable<PartitionRow>;
}

export interface PartitionRow {
  readonly partition: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Committed rows of an application that nobody has opened. */
export interface StoredTables {
  /** All rows of a store, page by page; rows of a page are of one partition. */
  pages(store: string): AsyncIterable<readonly PartitionRow[]>;
  getMany(store: string, partition: number, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
}

/**
 * Gives a store to an application that has run without it, and fills it; then the topology that has the store fits. For
 * migrations: neither log nor topology may be open over the database.
 *
 *     rows of the new id ─ batch ─ batch … ─> last batch, synced: its number, the fingerprint with the store in it
 *
 * Who dies in between has rows under an id that nothing names: the next time it is the id again, and they go first. Doing
 * it twice is doing it once. An application that has not run yet gets nothing: its first start makes the store.
 */
export async function addStore(engine: Engine, addition: StoreAddition): Promise<void> {
  const { applicationId, store, beside } = addition;
  const state = new ApplicationState(engine, applicationId);
  const text = await state.fingerprint();
  if (text === undefined) return;
  const next = await state.nextStoreId();
  const id = (await state.storeId(store.name)) ?? next;

  let batch = new WriteBatchBuilder();
  const prefix = storePrefix(id, 0).subarray(0, 4);
  batch.deleteRange('state', prefix, prefixEnd(prefix));
  for await (const { partition, key, value } of addition.rows(new Tables(engine, state))) {
    batch.put('state', concatBytes(storePrefix(id, partition), key), value);
    if (batch.bytes < batchBytes) continue;
    await write(engine, batch);
    batch = new WriteBatchBuilder();
  }
  state.stageFingerprint(batch, canonicalJson(withStore(JSON.parse(text) as Fingerprint, store, beside)));
  state.stageStoreIds(batch, new Map([[store.name, id]]), Math.max(next, id + 1));
  await write(engine, batch);
}

function withStore(fingerprint: Fingerprint, store: StoreFingerprint, beside: string): Fingerprint {
  const others = fingerprint.stores.filter(({ name }) => name !== store.name);
  return {
    ...fingerprint,
    stores: [...others, store].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    subtopologies: fingerprint.subtopologies.map((subtopology) => ({
      ...subtopology,
      stores: subtopology.stores.includes(beside)
        ? [...new Set([...subtopology.stores, store.name])].toSorted()
        : subtopology.stores,
    })),
  };
}

async function write(engine: Engine, batch: WriteBatchBuilder): Promise<void> {
  batch.seal();
  await engine.write(batch, { sync: true });
}

class Tables implements StoredTables {
  readonly #engine: Engine;
  readonly #state: ApplicationState;

  constructor(engine: Engine, state: ApplicationState) {
    this.#engine = engine;
    this.#state = state;
  }

  async *pages(store: string): AsyncGenerator<readonly PartitionRow[]> {
    const id = await this.#state.storeId(store);
    if (id === undefined) return;
    const prefix = storePrefix(id, 0).subarray(0, 4);
    const lt = prefixEnd(prefix);
    for (let gte: Uint8Array = prefix; ;) {
      const keys: Uint8Array[] = [];
      const partitions = new Map<number, PartitionRow[]>();
      for await (const entries of this.#engine.range('state', { gte, lt, limit: pageRows })) {
        for (const { key, value } of entries) {
          const partition = Buffer.from(key.buffer, key.byteOffset).readUInt32BE(4);
          const rows = partitions.get(partition) ?? [];
          if (rows.length === 0) partitions.set(partition, rows);
          rows.push({ partition, key: key.slice(8), value: value.slice() });
          keys.push(key);
        }
      }
      yield* partitions.values();
      if (keys.length < pageRows) return;
      gte = keyAfter(keys.at(-1)!);
    }
  }

  async getMany(store: string, partition: number, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const id = await this.#state.storeId(store);
    if (id === undefined) return keys.map(() => undefined);
    const prefix = storePrefix(id, partition);
    return this.#engine.getMany(
      'state',
      keys.map((key) => concatBytes(prefix, key)),
    );
  }
}

const pageRows = 1000;
const batchBytes = 4 * 1024 * 1024;
