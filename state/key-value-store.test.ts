import { describe, expect, it } from 'vitest';
import { textSerde } from './conformance/serdes.ts';
import { commit, list } from './conformance/store-conformance.ts';
import type { ColumnFamily, Engine } from './engine.ts';
import { int64Key, utf8Key } from './key-codecs.ts';
import { createKeyValueStore } from './key-value-store.ts';
import { createMemoryEngine } from './memory-engine.ts';
import type { KeyCodec } from './key-codec.ts';

const open = <K>(engine: Engine, keyCodec: KeyCodec<K>, valueSerde = textSerde()) =>
  createKeyValueStore<K, string>({
    name: 'words',
    partition: 3,
    prefix: Uint8Array.of(1),
    keyCodec,
    valueSerde,
    engine,
  });

describe('key-value store', () => {
  it('does not take in a row that a commit has overtaken while it was read', async () => {
    const engine = createMemoryEngine();
    const before = open(engine, utf8Key);
    before.put('a', 'old');
    before.put('b', 'old');
    await commit(engine, before);

    const slow = withHeldReads(engine);
    const store = open(slow.engine, utf8Key);
    await store.load(['b']);
    slow.hold();
    const loading = store.load(['a']);
    await slow.reading();
    store.put('a', 'new');
    await commit(engine, store);
    store.trim(0);
    expect(store.isLoaded('a')).toBe(false);
    slow.release();
    await loading;
    expect(store.getLoaded('a')).toBe('new');
  });

  it('does not take itself for complete when a commit was evicted while it looked', async () => {
    const slow = withHeldReads(createMemoryEngine());
    const store = open(slow.engine, utf8Key);
    slow.hold();
    const loading = store.load(['x']);
    await slow.reading(); // The table was empty then.
    store.put('a', '1');
    await commit(slow.engine, store);
    store.trim(0);
    slow.release();
    await loading;
    expect(await store.get('a')).toBe('1');
  });

  it('gives ranges with both bounds, either way, up to a limit, with changes on top', async () => {
    const engine = createMemoryEngine();
    const writer = open(engine, int64Key);
    for (const key of [-3, -1, 0, 2, 5]) writer.put(key, 'old');
    await commit(engine, writer);
    const store = open(engine, int64Key);
    store.delete(-1);
    store.put(1, 'new');
    store.put(2, 'new');
    const keys = (range: Parameters<typeof store.range>[0]) => list(store.range(range), ([key]) => key);
    expect(await keys({ from: -3, to: 2 })).toEqual([-3, 0, 1, 2]);
    expect(await keys({ from: -2, reverse: true })).toEqual([5, 2, 1, 0]);
    expect(await keys({ to: 1, limit: 2 })).toEqual([-3, 0]);
    expect(await keys({ reverse: true, limit: 3 })).toEqual([5, 2, 1]);
    expect(await keys({ from: 3, to: -3 })).toEqual([]);
    expect(await list(store.committedRange({ from: -1, limit: 2 }), ([key]) => key)).toEqual([-1, 0]);
  });

  it('asks the serde for sizes where it gives them', async () => {
    const engine = createMemoryEngine();
    const store = open(engine, utf8Key, { ...textSerde(), sizeOf: (value) => value.length * 1000 });
    store.put('a', 'xyz');
    expect(store.dirtyBytes).toBeGreaterThanOrEqual(3000);
    await commit(engine, store);
    expect(store.cachedBytes).toBeGreaterThanOrEqual(3000);
    expect(store.dirtyBytes).toBe(0);
  });

  it('names store, partition and key when a key was not loaded', () => {
    const store = open(createMemoryEngine(), utf8Key);
    expect(() => store.getLoaded('a')).toThrow("Key 'a' of store 'words' partition 3 is not loaded");
  });
});

/** The same engine, whose reads are answered when they are released: as it was when they were asked. */
function withHeldReads(inner: Engine) {
  let gate: Promise<void> = Promise.resolve();
  let open: () => void = () => undefined;
  let asked: () => void = () => undefined;
  let reading = Promise.resolve();
  const engine: Engine = {
    async getMany(family: ColumnFamily, keys: readonly Uint8Array[]) {
      const values = await inner.getMany(family, keys);
      asked();
      await gate;
      return values;
    },
    async *range(family, range) {
      const chunks = await list(inner.range(family, range), (chunk) => chunk);
      asked();
      await gate;
      yield* chunks;
    },
    write: (batch, options) => inner.write(batch, options),
    snapshot: () => inner.snapshot(),
    flush: () => inner.flush(),
    stats: () => inner.stats(),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
  return {
    engine,
    hold() {
      gate = new Promise((resolve) => {
        open = resolve;
      });
      reading = new Promise((resolve) => {
        asked = resolve;
      });
    },
    reading: () => reading,
    release: () => open(),
  };
}
