import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isMillraceError } from '../../schemas/errors.ts';
import type { Engine } from '../engine.ts';
import { utf8Key } from '../key-codecs.ts';
import { createKeyValueStore, createTimestampedKeyValueStore } from '../key-value-store.ts';
import type { KeyValueStore, StateStore } from '../store.ts';
import { createWindowStore } from '../window-store.ts';
import { WriteBatchBuilder } from '../write-batch.ts';
import { textSerde, type CountingSerde } from './serdes.ts';

/**
 * What every store promises, told once for all kinds: each is seen through `Rows`, in which a window store is a table
 * of the rows of one window, and a timestamp is made from the value.
 */
interface Rows {
  readonly store: StateStore;
  load(...keys: string[]): Promise<void>;
  isLoaded(key: string): boolean;
  getLoaded(key: string): string | undefined;
  get(key: string): Promise<string | undefined>;
  put(key: string, value: string): void;
  delete(key: string): void;
  all(): Promise<string[]>;
  committedGet(key: string): Promise<string | undefined>;
  committedAll(): Promise<string[]>;
}

type OpenRows = (engine: Engine, serde: CountingSerde<string>, store?: number) => Rows;

const kinds: Readonly<Record<string, OpenRows>> = {
  'key-value': (engine, serde, store) => keyValueRows(createKeyValueStore(options(engine, serde, store)), same, same),
  'timestamped key-value': (engine, serde, store) =>
    keyValueRows(
      createTimestampedKeyValueStore(options(engine, serde, store)),
      (value) => ({ value, timestamp: -value.length }),
      ({ value, timestamp }) => (timestamp === -value.length ? value : `${value} at ${timestamp}`),
    ),
  window: windowRows,
};

export function storeConformance(engineName: string, create: () => Promise<Engine>): void {
  describe.each(Object.entries(kinds))(`store conformance: %s over ${engineName}`, (_, open) => {
    let engine: Engine;
    let serde: CountingSerde<string>;
    let rows: Rows;
    beforeEach(async () => {
      engine = await create();
      serde = textSerde();
      rows = open(engine, serde);
    });
    afterEach(() => engine[Symbol.asyncDispose]());

    /** Leaves rows in the table and opens the store anew: an empty cache over a table that is not. */
    const reopenOver = async (...keys: string[]) => {
      for (const key of keys) rows.put(key, `${key}!`);
      await commit(engine, rows.store);
      rows = open(engine, serde);
    };
    const gets = async () => (await engine.stats()).gets;

    it('gives back what was put, before and after the commit, and after opening again', async () => {
      rows.put('a', '1');
      expect(rows.getLoaded('a')).toBe('1');
      await commit(engine, rows.store);
      expect(rows.getLoaded('a')).toBe('1');
      rows = open(engine, serde);
      expect(await rows.get('a')).toBe('1');
    });

    it('writes nothing before the commit', async () => {
      rows.put('a', '1');
      expect(await rows.committedGet('a')).toBeUndefined();
      expect(await open(engine, serde).get('a')).toBeUndefined();
      expect((await engine.stats()).puts).toBe(0);
    });

    it('refuses to answer for a key that was not loaded', async () => {
      await reopenOver('a');
      expect(rows.isLoaded('a')).toBe(false);
      expect(() => rows.getLoaded('a')).toThrow(expect.objectContaining({ code: 'KEY_NOT_LOADED' }));
      await rows.load('a');
      expect(rows.isLoaded('a')).toBe(true);
      expect(rows.getLoaded('a')).toBe('a!');
    });

    it('reads each key once: cached ones, known absent ones and repeated ones cost no read', async () => {
      await reopenOver('a', 'b');
      const before = await gets();
      await rows.load('a', 'a', 'x');
      expect((await gets()) - before).toBe(2);
      await rows.load('a', 'x', 'b');
      expect((await gets()) - before).toBe(3);
      expect([rows.getLoaded('a'), rows.getLoaded('x'), rows.getLoaded('b')]).toEqual(['a!', undefined, 'b!']);
    });

    it('lets a put stand against what a load brings later', async () => {
      await reopenOver('a');
      const loading = rows.load('a', 'b');
      rows.put('a', 'new');
      await loading;
      expect(rows.getLoaded('a')).toBe('new');
      await commit(engine, rows.store);
      expect(await rows.committedGet('a')).toBe('new');
    });

    it('does not bring back an older value when a commit and an eviction pass a load by', async () => {
      await reopenOver('a', 'b');
      await rows.load('b');
      const loading = rows.load('a');
      rows.put('a', 'new');
      await commit(engine, rows.store);
      rows.store.trim(0);
      rows.store.trim(0);
      await loading;
      expect(await rows.get('a')).toBe('new');
    });

    it('deletes, also what was never loaded', async () => {
      await reopenOver('a', 'b');
      rows.delete('a');
      expect(rows.getLoaded('a')).toBeUndefined();
      expect(await rows.get('a')).toBeUndefined();
      await commit(engine, rows.store);
      expect(await open(engine, serde).all()).toEqual(['b=b!']);
    });

    it('forgets everything since the last commit when discarding', async () => {
      await reopenOver('a', 'b');
      await rows.load('a', 'b');
      rows.put('a', '2');
      rows.delete('b');
      rows.put('c', '3');
      stage(rows.store);
      rows.put('d', '4');
      rows.store.discard();
      expect(rows.store.dirtyBytes).toBe(0);
      expect([...rows.store.changes()]).toEqual([]);
      expect(await rows.all()).toEqual(['a=a!', 'b=b!']);
      expect(await Promise.all(['a', 'b', 'c', 'd'].map((key) => rows.get(key)))).toEqual([
        'a!',
        'b!',
        undefined,
        undefined,
      ]);
      expect(stage(rows.store).operations).toEqual([]);
    });

    it('keeps a put between staging and committed for the next commit', async () => {
      rows.put('a', '1');
      rows.put('b', '1');
      const batch = stage(rows.store);
      rows.put('a', '2');
      rows.put('c', '2');
      await engine.write(batch);
      rows.store.committed();
      expect([await rows.committedGet('a'), await rows.committedGet('c')]).toEqual(['1', undefined]);
      expect(rows.getLoaded('a')).toBe('2');
      rows.store.trim(0);
      expect(rows.getLoaded('a')).toBe('2');
      expect(stage(rows.store).operations).toHaveLength(2);
      await commit(engine, rows.store);
      expect([await rows.committedGet('a'), await rows.committedGet('c')]).toEqual(['2', '2']);
    });

    it('stages everything again after a stage that came to nothing, the newest value of each key', async () => {
      rows.put('a', '1');
      rows.put('b', '1');
      stage(rows.store);
      rows.put('b', '2');
      rows.delete('c');
      await commit(engine, rows.store);
      expect(await rows.committedAll()).toEqual(['a=1', 'b=2']);
      expect(stage(rows.store).operations).toEqual([]);
    });

    it('encodes a value once a commit, however often it was put and however its changes are read', async () => {
      rows.put('a', '1');
      rows.put('a', '2');
      rows.put('b', '2');
      const batch = stage(rows.store);
      const changes = [...rows.store.changes()];
      expect([...rows.store.changes()]).toHaveLength(2);
      stage(rows.store);
      expect(serde.serialized).toBe(2);
      const staged = batch.operations.flatMap((operation) => (operation.kind === 'put' ? [operation.value] : []));
      expect(changes.map((change) => change.value)).toEqual(staged);
      rows.store.committed();
      expect([...rows.store.changes()]).toEqual([]);
    });

    it('names its staged changes by the encoded key, and a delete by null', async () => {
      await reopenOver('a', 'b');
      rows.put('a', '2');
      rows.delete('b');
      expect([...rows.store.changes()]).toEqual([]);
      stage(rows.store);
      const changes = [...rows.store.changes()];
      expect(changes.map(({ key }) => Buffer.from(key).toString().slice(-1))).toEqual(['a', 'b']);
      expect(changes.map(({ value }) => value && Buffer.from(value).toString().slice(-1))).toEqual(['2', null]);
    });

    it('never evicts what waits for a commit, and evicts the rest down to the bound', async () => {
      const keys = Array.from({ length: 100 }, (_, i) => `k${String(i).padStart(3, '0')}`);
      await reopenOver(...keys);
      await rows.load(...keys);
      rows.put('k000', 'dirty');
      rows.delete('k001');
      stage(rows.store);
      rows.put('k002', 'dirty');
      const bound = rows.store.cachedBytes / 2;
      rows.store.trim(bound);
      expect(rows.store.cachedBytes).toBeLessThanOrEqual(bound);
      expect(keys.filter((key) => rows.isLoaded(key)).length).toBeGreaterThan(40);
      rows.store.trim(0);
      expect(keys.filter((key) => rows.isLoaded(key))).toEqual(['k000', 'k001', 'k002']);
      await commit(engine, rows.store);
      rows.store.trim(0);
      expect(rows.store.cachedBytes).toBe(0);
      await rows.load('k000', 'k001', 'k003');
      expect(['k000', 'k001', 'k003'].map((key) => rows.getLoaded(key))).toEqual(['dirty', undefined, 'k003!']);
    });

    it('keeps what was used since the last trim before what was not', async () => {
      const keys = Array.from({ length: 64 }, (_, i) => `k${String(i).padStart(3, '0')}`);
      await reopenOver(...keys);
      await rows.load(...keys);
      rows.store.trim(rows.store.cachedBytes - 1); // All flags are cleared, and the first few go.
      const kept = keys.filter((key) => rows.isLoaded(key));
      const used = kept.slice(0, 8);
      for (const key of used) rows.getLoaded(key);
      rows.store.trim(rows.store.cachedBytes / 2);
      expect(kept.filter((key) => rows.isLoaded(key))).toEqual(expect.arrayContaining(used));
    });

    it('reads nothing while a store that began empty has lost nothing', async () => {
      await rows.load('a', 'b');
      for (let i = 0; i < 50; i++) {
        rows.put(`k${i}`, `${i}`);
        await rows.load(`k${i + 1}`);
        expect(rows.getLoaded(`k${i + 1}`)).toBeUndefined();
        if (i % 10 === 0) await commit(engine, rows.store);
      }
      expect(rows.isLoaded('never seen')).toBe(true);
      expect(await rows.get('never seen')).toBeUndefined();
      expect(await gets()).toBe(0);
    });

    it('reads again once an eviction has taken a row from a store that began empty', async () => {
      await rows.load('a');
      rows.put('a', '1');
      rows.put('b', '1');
      await commit(engine, rows.store);
      rows.store.trim(0);
      expect(rows.isLoaded('c')).toBe(false);
      expect(() => rows.getLoaded('a')).toThrow(/not loaded/);
      await rows.load('a', 'c');
      expect([rows.getLoaded('a'), rows.getLoaded('c')]).toEqual(['1', undefined]);
    });

    it('stays complete when an eviction takes only what is known to be absent', async () => {
      await rows.load('a');
      rows.put('a', '1');
      rows.delete('a');
      await commit(engine, rows.store);
      rows.store.trim(0);
      expect(rows.store.cachedBytes).toBe(0);
      expect(rows.isLoaded('a')).toBe(true);
      expect(rows.getLoaded('a')).toBeUndefined();
    });

    it('is not complete after a discard over a table that has rows', async () => {
      await rows.load('a');
      rows.put('a', '1');
      await commit(engine, rows.store);
      rows.put('b', '1');
      rows.store.discard();
      await rows.load('a', 'b');
      expect([rows.getLoaded('a'), rows.getLoaded('b')]).toEqual(['1', undefined]);
    });

    it('merges uncommitted puts and deletes into its rows, in key order', async () => {
      await reopenOver('b', 'd', 'f', 'h');
      rows.put('a', '1');
      rows.delete('b');
      rows.put('d', '1');
      rows.put('e', '1');
      stage(rows.store);
      rows.put('e', '2');
      rows.delete('d');
      rows.put('z', '2');
      expect(await rows.all()).toEqual(['a=1', 'e=2', 'f=f!', 'h=h!', 'z=2']);
      expect(await rows.committedAll()).toEqual(['b=b!', 'd=d!', 'f=f!', 'h=h!']);
    });

    it('keeps its rows apart from those of the stores beside it', async () => {
      const [before, after] = [open(engine, serde, 6), open(engine, serde, 8)];
      for (const other of [before, after]) other.put('a', 'other');
      rows.put('b', 'mine');
      for (const { store } of [before, rows, after]) await commit(engine, store);
      expect(await open(engine, serde).all()).toEqual(['b=mine']);
      expect(await open(engine, serde).get('a')).toBeUndefined();
      expect(await before.committedAll()).toEqual(['a=other']);
    });

    it('says how many bytes wait for the commit', async () => {
      expect([rows.store.dirtyBytes, rows.store.cachedBytes]).toEqual([0, 0]);
      rows.put('a', 'x'.repeat(10_000));
      expect(rows.store.dirtyBytes).toBeGreaterThan(0);
      stage(rows.store);
      expect(rows.store.dirtyBytes).toBeGreaterThanOrEqual(10_000);
      expect(rows.store.dirtyBytes).toBeLessThan(11_000);
      expect(rows.store.cachedBytes).toBeGreaterThanOrEqual(10_000);
      rows.store.committed();
      expect(rows.store.dirtyBytes).toBe(0);
      expect(rows.store.cachedBytes).toBeGreaterThanOrEqual(10_000);
    });

    it('changes nothing when a value refuses to be encoded', async () => {
      rows.put('a', '1');
      const { serialize } = serde;
      serde.serialize = refuse;
      expect(() => stage(rows.store)).toThrow('refused');
      expect([...rows.store.changes()]).toEqual([]);
      serde.serialize = serialize;
      await commit(engine, rows.store);
      expect(await rows.committedAll()).toEqual(['a=1']);
    });

    it('is open to a loader that needs preparation before values are decoded', async () => {
      await reopenOver('a', 'b');
      let prepared = 0;
      serde.prepare = async (payloads) => {
        prepared += payloads.length;
      };
      rows = open(engine, serde);
      await rows.load('a', 'x');
      expect(prepared).toBe(1);
      await rows.all();
      expect(prepared).toBe(3);
    });

    it('fails as the engine fails', async () => {
      await reopenOver('a');
      await engine[Symbol.asyncDispose]();
      await expect(rows.load('a')).rejects.toSatisfy((error) => isMillraceError(error, 'STORE_CLOSED'));
    });
  });
}

export function stage(store: StateStore): WriteBatchBuilder {
  const batch = new WriteBatchBuilder();
  store.stageChanges(batch);
  return batch;
}

export async function commit(engine: Engine, store: StateStore): Promise<void> {
  await engine.write(stage(store));
  store.committed();
}

function options(engine: Engine, valueSerde: CountingSerde<string>, store = 7) {
  return { name: 'words', partition: 0, prefix: Uint8Array.of(store, 0), keyCodec: utf8Key, valueSerde, engine };
}

function keyValueRows<V>(store: KeyValueStore<string, V>, wrap: (of: string) => V, unwrap: (of: V) => string): Rows {
  const shown = (value: V | undefined) => (value === undefined ? undefined : unwrap(value));
  return {
    store,
    load: (...keys) => store.load(keys),
    isLoaded: (key) => store.isLoaded(key),
    getLoaded: (key) => shown(store.getLoaded(key)),
    get: async (key) => shown(await store.get(key)),
    put: (key, value) => store.put(key, wrap(value)),
    delete: (key) => store.delete(key),
    all: () => list(store.range(), ([key, value]) => `${key}=${unwrap(value)}`),
    committedGet: async (key) => shown(await store.committedGet(key)),
    committedAll: () => list(store.committedRange(), ([key, value]) => `${key}=${unwrap(value)}`),
  };
}

function windowRows(engine: Engine, serde: CountingSerde<string>, number?: number): Rows {
  const store = createWindowStore({ ...options(engine, serde, number), windowSizeMs: 100, retentionMs: 1000 });
  const at = 500;
  return {
    store,
    load: (...keys) => store.load(keys.map((key) => ({ key, windowStartMs: at }))),
    isLoaded: (key) => store.isLoaded(key, at),
    getLoaded: (key) => store.getLoaded(key, at)?.value,
    get: async (key) => (await store.get(key, at))?.value,
    put: (key, value) => store.put(key, at, { value, timestamp: at }),
    delete: (key) => store.delete(key, at),
    all: () => list(store.fetchAll(0, 1000), ([{ key }, { value }]) => `${key}=${value}`),
    committedGet: async (key) => (await store.committedGet(key, at))?.value,
    committedAll: () => list(store.committedFetchAll(0, 1000), ([{ key }, { value }]) => `${key}=${value}`),
  };
}

export async function list<T, R>(rows: AsyncIterable<T>, show: (row: T) => R): Promise<R[]> {
  const shown: R[] = [];
  for await (const row of rows) shown.push(show(row));
  return shown;
}

function same(of: string): string {
  return of;
}

function refuse(): Uint8Array {
  throw new Error('refused');
}
