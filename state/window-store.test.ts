import { describe, expect, it } from 'vitest';
import { textSerde } from './conformance/serdes.ts';
import { commit, list, stage } from './conformance/store-conformance.ts';
import type { Engine } from './engine.ts';
import { utf8Key } from './key-codecs.ts';
import { createMemoryEngine } from './memory-engine.ts';
import type { ValueAndTimestamp, Windowed } from './store.ts';
import { createWindowStore, type WindowStoreOptions } from './window-store.ts';

const open = (engine: Engine, options: Partial<WindowStoreOptions<string, string>> = {}) =>
  createWindowStore({
    name: 'counts',
    partition: 0,
    prefix: Uint8Array.of(7),
    keyCodec: utf8Key,
    valueSerde: textSerde(),
    engine,
    windowSizeMs: 100,
    retentionMs: 1000,
    ...options,
  });
const of = (value: string, timestamp = 0) => ({ value, timestamp });
const show = ([{ key, windowStartMs }, { value }]: readonly [Windowed<string>, ValueAndTimestamp<string>]) =>
  `${windowStartMs} ${key}=${value}`;
const rowsIn = async (engine: Engine) =>
  (await list(engine.range('state', { gte: Uint8Array.of(7), lt: Uint8Array.of(8) }), (rows) => rows.length)).reduce(
    (sum, rows) => sum + rows,
    0,
  );

describe('window store', () => {
  it('keeps one row a window and key, with its timestamp', async () => {
    const engine = createMemoryEngine();
    const store = open(engine);
    expect(store.put('a', 0, of('1', 17))).toBe(true);
    expect(store.put('a', 100, of('2', 117))).toBe(true);
    await commit(engine, store);
    const again = open(engine);
    expect(await again.get('a', 0)).toEqual({ value: '1', timestamp: 17 });
    expect(await again.get('a', 100)).toEqual({ value: '2', timestamp: 117 });
    expect(await again.get('a', 200)).toBeUndefined();
  });

  it('hides a window as soon as it has expired, and deletes it with the next commit', async () => {
    const engine = createMemoryEngine();
    const store = open(engine, { advanceMs: 100 });
    store.put('a', 0, of('1'));
    store.put('a', 100, of('2'));
    await commit(engine, store);
    store.observe(1000);
    expect(store.getLoaded('a', 0)?.value).toBe('1');
    store.observe(1001);
    expect(store.expiredBeforeMs).toBe(1);
    expect(store.getLoaded('a', 0)).toBeUndefined();
    expect(store.isLoaded('a', 0)).toBe(true);
    expect(await store.get('a', 0)).toBeUndefined();
    expect(await list(store.fetchAll(0, 1000), show)).toEqual(['100 a=2']);
    expect(await list(store.fetch('a', 0, 1000), show)).toEqual(['100 a=2']);
    expect(await rowsIn(engine)).toBe(2);
    expect((await store.committedGet('a', 0))?.value).toBe('1');
    await commit(engine, store);
    expect(await rowsIn(engine)).toBe(1);
    expect(await store.committedGet('a', 0)).toBeUndefined();
  });

  it('does nothing for a put into an expired window, and says so', async () => {
    const engine = createMemoryEngine();
    const store = open(engine);
    store.observe(1500);
    expect(store.put('a', 499, of('late'))).toBe(false);
    expect(store.put('a', 500, of('in time'))).toBe(true);
    await commit(engine, store);
    expect(await list(open(engine).fetchAll(0, 1000), show)).toEqual(['500 a=in time']);
  });

  it('does not write what has expired between put and commit', async () => {
    const engine = createMemoryEngine();
    const store = open(engine);
    store.put('a', 0, of('1'));
    store.put('a', 900, of('2'));
    stage(store);
    store.put('b', 100, of('3'));
    store.observe(1500);
    const batch = stage(store);
    expect(batch.operations.map((operation) => operation.kind)).toEqual(['deleteRange', 'put']);
    expect([...store.changes()]).toHaveLength(1);
    await engine.write(batch);
    store.committed();
    expect(await rowsIn(engine)).toBe(1);
    expect(store.dirtyBytes).toBe(0);
  });

  it('takes stream time back when discarding', async () => {
    const engine = createMemoryEngine();
    const store = open(engine);
    store.put('a', 0, of('1'));
    store.observe(500);
    await commit(engine, store);
    store.observe(5000);
    stage(store);
    store.discard();
    expect(store.expiredBeforeMs).toBe(-500);
    expect((await store.get('a', 0))?.value).toBe('1');
    expect(stage(store).operations).toEqual([]);
  });

  it('deletes windows from before it was opened', async () => {
    const engine = createMemoryEngine();
    const before = open(engine);
    for (const start of [0, 100, 200, 2000]) before.put('a', start, of('1'));
    await commit(engine, before);
    const store = open(engine);
    store.observe(1150);
    await commit(engine, store);
    expect(await rowsIn(engine)).toBe(2);
    store.observe(1250);
    await commit(engine, store);
    expect(await rowsIn(engine)).toBe(1);
  });

  it('writes a range delete only when the bound has passed another start', async () => {
    const engine = createMemoryEngine();
    const store = open(engine, { advanceMs: 100 });
    const deletes: number[] = [];
    for (let time = 1000; time < 2000; time += 10) {
      store.observe(time);
      await commit(engine, store);
      deletes.push((await engine.stats()).deletes);
    }
    expect(deletes.at(-1)).toBe(11);
  });

  it('evicts expired rows, though used, and a fresh store stays complete without them', async () => {
    const engine = createMemoryEngine();
    const store = open(engine, { advanceMs: 100 });
    await store.load([{ key: 'a', windowStartMs: 0 }]);
    for (let i = 0; i < 20; i++) store.put(`k${i}`, i < 10 ? 0 : 5000, of('1'));
    await commit(engine, store);
    store.observe(5100);
    await commit(engine, store);
    store.trim(store.cachedBytes * 0.6);
    expect(store.isLoaded('unseen', 5000)).toBe(true);
    for (let i = 10; i < 20; i++) expect(store.getLoaded(`k${i}`, 5000)?.value).toBe('1');
  });

  it.each([{ advanceMs: 50 }, {}])(
    'fetches the windows of one key in order of start, bounds included: %o',
    async (options) => {
      const engine = createMemoryEngine();
      let store = open(engine, { retentionMs: 1_000_000_000, ...options });
      for (const key of ['a', 'aa', 'b']) for (const start of [0, 50, 100, 150, 200]) store.put(key, start, of(key));
      await commit(engine, store);
      store = open(engine, { retentionMs: 1_000_000_000, ...options });
      store.delete('a', 100);
      store.put('a', 250, of('new'));
      const fetched = async (from: number, to: number) => list(store.fetch('a', from, to), show);
      expect(await fetched(50, 200)).toEqual(['50 a=a', '150 a=a', '200 a=a']);
      expect(await fetched(51, 199)).toEqual(['150 a=a']);
      expect(await fetched(0, 1_000_000_000)).toEqual(['0 a=a', '50 a=a', '150 a=a', '200 a=a', '250 a=new']);
      expect(await fetched(-Infinity, Infinity)).toHaveLength(5);
      expect(await fetched(200, 100)).toEqual([]);
      expect(await list(store.committedFetch('a', 100, 300), show)).toEqual(['100 a=a', '150 a=a', '200 a=a']);
      expect(await list(store.committedFetchAll(50, 99), show)).toEqual(['50 a=a', '50 aa=aa', '50 b=b']);
      expect(await list(store.fetchAll(100, 100), show)).toEqual(['100 aa=aa', '100 b=b']);
    },
  );

  it('has windows that begin before 1970', async () => {
    const engine = createMemoryEngine();
    const store = open(engine, { advanceMs: 100 });
    for (const start of [-200, -100, 0]) store.put('a', start, of('1'));
    await commit(engine, store);
    expect(await list(open(engine).fetchAll(-100, 0), show)).toEqual(['-100 a=1', '0 a=1']);
  });

  it('refuses a start beside its advance, and a retention shorter than a window', () => {
    const engine = createMemoryEngine();
    const store = open(engine, { advanceMs: 50 });
    expect(() => store.put('a', 70, of('1'))).toThrow(/Window start 70 .* no multiple of its advance of 50 ms/);
    expect(() => open(engine, { retentionMs: 99 })).toThrow(/Retention 99 ms is shorter than the windows of 100 ms/);
  });
});
