import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counterSerde, type Counter } from './conformance/serdes.ts';
import { list, stage } from './conformance/store-conformance.ts';
import { temporaryFolders } from './conformance/temporary-folder.ts';
import { openDataFolder } from './data-folder.ts';
import type { Engine } from './engine.ts';
import { int64Key } from './key-codecs.ts';
import { createKeyValueStore } from './key-value-store.ts';
import { createMemoryEngine } from './memory-engine.ts';
import { createWindowStore } from './window-store.ts';

/** Stores against a plain Map, over random histories of accesses, commits, failures, evictions and restarts. */
const newFolder = temporaryFolders();
const engines = [
  { name: 'memory', runs: 500, create: async () => createMemoryEngine() },
  { name: 'rocksdb', runs: 15, create: () => openDataFolder(newFolder()) },
];

type Op =
  | { readonly op: 'add' | 'put' | 'delete' | 'get'; readonly key: number }
  | { readonly op: 'load'; readonly keys: readonly number[] }
  | {
      readonly op: 'range';
      readonly from: number;
      readonly to: number;
      readonly reverse: boolean;
      readonly limit: number;
    }
  | { readonly op: 'commit' | 'stage' | 'discard' | 'reopen' }
  | { readonly op: 'commitWhile'; readonly key: number }
  | { readonly op: 'trim'; readonly share: number };

const key = fc.integer({ min: -6, max: 6 });
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constantFrom('add', 'put', 'delete', 'get'), key }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('load'), keys: fc.array(key, { maxLength: 6 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('range'),
      from: key,
      to: key,
      reverse: fc.boolean(),
      limit: fc.constantFrom(1, 2, 3, 100),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('commit', 'stage', 'discard', 'reopen') }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('commitWhile'), key }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('trim'), share: fc.constantFrom(0, 0.3, 0.8) }) },
);

describe.each(engines)('stores over $name', ({ runs, create }) => {
  it('a key-value store equals a map', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { maxLength: 60, size: 'max' }), async (ops) => {
        const engine = await create();
        try {
          await playKeyValue(engine, ops);
        } finally {
          await engine[Symbol.asyncDispose]();
        }
      }),
      { numRuns: runs },
    );
  });

  it('a window store equals a map without its expired windows', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(windowOp, { maxLength: 60, size: 'max' }), fc.boolean(), async (ops, aligned) => {
        const engine = await create();
        try {
          await playWindows(engine, ops, aligned);
        } finally {
          await engine[Symbol.asyncDispose]();
        }
      }),
      { numRuns: runs },
    );
  });
});

async function playKeyValue(engine: Engine, ops: readonly Op[]): Promise<void> {
  const open = () =>
    createKeyValueStore({
      name: 's',
      partition: 0,
      prefix: Uint8Array.of(9),
      keyCodec: int64Key,
      valueSerde: counterSerde,
      engine,
    });
  let store = open();
  let current = new Map<number, number>();
  let committed = new Map<number, number>();
  let next = 0;
  const check = async (at: number) => {
    expect((await store.get(at))?.count).toBe(current.get(at));
    expect(store.getLoaded(at)?.count).toBe(current.get(at));
  };
  for (const step of ops) {
    switch (step.op) {
      case 'put':
        store.put(step.key, { count: ++next });
        current.set(step.key, next);
        break;
      case 'add': {
        // As an aggregator does: the loaded value is changed in place.
        await store.load([step.key]);
        const counter: Counter = store.getLoaded(step.key) ?? { count: 0 };
        counter.count++;
        store.put(step.key, counter);
        current.set(step.key, (current.get(step.key) ?? 0) + 1);
        break;
      }
      case 'delete':
        store.delete(step.key);
        current.delete(step.key);
        break;
      case 'get':
        await check(step.key);
        break;
      case 'load':
        await store.load(step.keys);
        for (const at of step.keys) expect(store.getLoaded(at)?.count).toBe(current.get(at));
        break;
      case 'range': {
        const { from, to, reverse, limit } = step;
        const show = ([at, value]: readonly [number, Counter]) => [at, value.count];
        const wanted = (of: ReadonlyMap<number, number>) => {
          const rows = [...of].filter(([at]) => at >= from && at <= to).sort(([a], [b]) => (reverse ? b - a : a - b));
          return rows.slice(0, limit);
        };
        const range = { from, to, reverse, limit };
        expect(await list(store.range(range), show)).toEqual(wanted(current));
        expect(await list(store.committedRange(range), show)).toEqual(wanted(committed));
        break;
      }
      case 'stage':
        stage(store);
        break;
      case 'commit':
        await engine.write(stage(store));
        store.committed();
        committed = new Map(current);
        break;
      case 'commitWhile': {
        // The next batch already runs while this one is written.
        const writing = engine.write(stage(store));
        committed = new Map(current);
        const loading = store.load([step.key, -step.key]);
        store.put(step.key, { count: ++next });
        current.set(step.key, next);
        await Promise.all([writing, loading]);
        store.committed();
        await check(-step.key);
        break;
      }
      case 'discard':
        store.discard();
        current = new Map(committed);
        break;
      case 'reopen':
        store = open();
        current = new Map(committed);
        break;
      case 'trim': {
        const bound = store.cachedBytes * step.share;
        store.trim(bound);
        break;
      }
    }
  }
  for (let at = -6; at <= 6; at++) await check(at);
  const rows = await list(store.committedRange(), ([at, value]) => [at, value.count] as const);
  expect(rows).toEqual([...committed].sort(([a], [b]) => a - b));
}

type WindowOp =
  | { readonly op: 'put' | 'delete' | 'get' | 'fetch'; readonly key: number; readonly start: number }
  | { readonly op: 'observe'; readonly time: number }
  | { readonly op: 'commit' | 'stage' | 'discard' | 'reopen' | 'trim' | 'fetchAll' };

const windowOp: fc.Arbitrary<WindowOp> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constantFrom('put', 'delete', 'get', 'fetch'),
      key: fc.integer({ min: 0, max: 2 }),
      start: fc.integer({ min: -2, max: 12 }).map((n) => n * 10),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('observe'), time: fc.integer({ min: 0, max: 180 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constantFrom('commit', 'stage', 'discard', 'reopen', 'trim', 'fetchAll') }),
  },
);

async function playWindows(engine: Engine, ops: readonly WindowOp[], aligned: boolean): Promise<void> {
  const retentionMs = 50;
  const open = () =>
    createWindowStore({
      name: 'w',
      partition: 0,
      prefix: Uint8Array.of(9),
      keyCodec: int64Key,
      valueSerde: counterSerde,
      engine,
      windowSizeMs: 20,
      retentionMs,
      ...(aligned && { advanceMs: 10 }),
    });
  type Row = readonly [start: number, key: number, count: number];
  let store = open();
  let current: Row[] = [];
  let committed: Row[] = [];
  let [observed, committedObserved] = [-Infinity, -Infinity];
  let next = 0;
  const alive = (rows: readonly Row[], time: number) => rows.filter(([start]) => start >= time - retentionMs);
  const without = (start: number, at: number) => current.filter((row) => row[0] !== start || row[1] !== at);
  const sorted = (rows: readonly Row[]) => [...rows].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const show = ([{ key: at, windowStartMs }, { value }]: readonly [
    { key: number; windowStartMs: number },
    { value: Counter },
  ]) => [windowStartMs, at, value.count] as const;
  const checkAll = async () => {
    expect(await list(store.fetchAll(-1000, 1000), show)).toEqual(sorted(alive(current, observed)));
    expect(await list(store.committedFetchAll(-1000, 1000), show)).toEqual(sorted(alive(committed, committedObserved)));
  };
  for (const step of ops) {
    switch (step.op) {
      case 'put': {
        const taken = store.put(step.key, step.start, { value: { count: ++next }, timestamp: next });
        expect(taken).toBe(step.start >= observed - retentionMs);
        if (taken) current = [...without(step.start, step.key), [step.start, step.key, next]];
        break;
      }
      case 'delete':
        store.delete(step.key, step.start);
        if (step.start >= observed - retentionMs) current = without(step.start, step.key);
        break;
      case 'get': {
        const row = alive(current, observed).find(([start, at]) => start === step.start && at === step.key);
        expect((await store.get(step.key, step.start))?.value.count).toBe(row?.[2]);
        break;
      }
      case 'fetch': {
        const [from, to] = [step.start - 15, step.start + 20];
        const mine = (rows: readonly Row[], time: number) =>
          sorted(alive(rows, time).filter(([start, at]) => at === step.key && start >= from && start <= to));
        expect(await list(store.fetch(step.key, from, to), show)).toEqual(mine(current, observed));
        expect(await list(store.committedFetch(step.key, from, to), show)).toEqual(mine(committed, committedObserved));
        break;
      }
      case 'fetchAll':
        await checkAll();
        break;
      case 'observe':
        store.observe(step.time);
        observed = Math.max(observed, step.time);
        break;
      case 'stage':
        stage(store);
        break;
      case 'commit':
        await engine.write(stage(store));
        store.committed();
        current = alive(current, observed);
        [committed, committedObserved] = [current, observed];
        break;
      case 'discard':
        store.discard();
        [current, observed] = [committed, committedObserved];
        break;
      case 'reopen':
        store = open();
        // The task restores stream time from its commit.
        store.observe(committedObserved);
        await engine.write(stage(store));
        store.committed();
        [current, observed] = [committed, committedObserved];
        break;
      case 'trim':
        store.trim(store.cachedBytes / 2);
        break;
    }
  }
  await checkAll();
}
