import { beforeAll, describe, expect, test } from 'vitest';
import { storeSerdes } from '../../processors/index.ts';
import { concatBytes, createMemoryEngine, WriteBatchBuilder, type Engine } from '../../state/index.ts';
import type { StoreSpec } from '../../topology/index.ts';
import type { WindowsRequest } from './messages.ts';
import type { StoreName } from './stored-rows.ts';
import { windowsMax, windowsOf } from './store-windows.ts';

const at = (text: string): number => Date.parse(`${text}Z`);
const counts = (views: number) => ({ views, carts: 0, purchases: 0, returns: 0, quantity: 0, revenue: 0 });
const window = (start: string, end: string, views: number) => ({
  ...{ startMs: at(start), endMs: at(end), user: null, ...counts(views), products: [] },
});

/** Rows of id `a`, of `a/b`, and of one whose first part reads like a month; those of `a` lie in the second partition. */
const rows: readonly [StoreName, number, string, unknown][] = [
  ['product-hours', 1, 'a/2010-12', [{ hour: 743, ...counts(1) }]],
  [
    'product-hours',
    1,
    'a/2011-01',
    [
      { hour: 0, ...counts(2) },
      { hour: 5, ...counts(3) },
    ],
  ],
  ['product-hours', 1, 'a/2011-01/2011-01', [{ hour: 0, ...counts(90) }]],
  ['product-hours', 1, 'a/b/2011-01', [{ hour: 0, ...counts(91) }]],
  ['product-hours', 0, 'aa/2011-01', [{ hour: 0, ...counts(92) }]],
  ['category-funnels', 0, 'home/2011-01', [{ day: 31, windows: [1, 0, 0, 0, 0, 0, 0] }]],
  ['category-funnels', 0, 'home/2011-02', [{ day: 1, windows: [0, 2, 0, 0, 0, 0, 0] }]],
  [
    ...(['session-windows', 1, 's:1'] as const),
    [window('2011-01-01T10:00', '2011-01-01T10:30', 1), window('2011-01-01T12:00', '2011-01-01T12:00', 2)],
  ],
  ['session-windows', 1, 's:10', [window('2011-01-01T10:00', '2011-01-01T10:30', 93)]],
  ['category-hours', 0, 'big/2011-01', Array.from({ length: 744 }, (_, hour) => ({ hour, ...counts(1) }))],
  ...Array.from({ length: 13 }, (_, month): [StoreName, number, string, unknown] => [
    ...(['category-hours', 0, `big/20${12 + month}-01`] as const),
    Array.from({ length: 744 }, (_, hour) => ({ hour, ...counts(1) })),
  ]),
];

let engine: Engine;
const partitions = [0, 1].map((partition) => ({ partition, prefix: Uint8Array.of(7, partition) }));

function prefixOf(store: StoreName, partition: number): Uint8Array {
  return concatBytes(partitions[partition]!.prefix, Buffer.from(`${store}:`));
}

beforeAll(async () => {
  engine = createMemoryEngine();
  const batch = new WriteBatchBuilder();
  for (const [store, partition, key, value] of rows) {
    const serdes = storeSerdes[store] as unknown as Record<'key' | 'value', { serialize(of: unknown): Uint8Array }>;
    const bytes = concatBytes(prefixOf(store, partition), serdes.key.serialize(key).slice());
    batch.put('state', bytes, serdes.value.serialize(value).slice());
  }
  await engine.write(batch);
});

async function ask(store: StoreName, key: string, range: Partial<WindowsRequest> = {}) {
  const { key: keySerde, value: valueSerde } = storeSerdes[store];
  const spec = { kind: 'key-value', name: store, keySerde, valueSerde } as unknown as StoreSpec;
  await using snapshot = engine.snapshot();
  return await windowsOf(snapshot, {
    spec,
    partitions: partitions.map(({ partition }) => ({ partition, prefix: prefixOf(store, partition) })),
    request: { store, key, fromMs: null, toMs: null, ...range },
  });
}

async function viewsOf(store: StoreName, key: string, from?: string, to?: string) {
  const range = { fromMs: from === undefined ? null : at(from), toMs: to === undefined ? null : at(to) };
  const found = await ask(store, key, range);
  return found?.windows.map(({ startMs, value }) => [
    new Date(startMs).toISOString().slice(0, 16),
    (value as { views: number }).views,
  ]);
}

describe('windows of a key', () => {
  test('are the hours of its months put together, and of no key that begins like it', async () => {
    expect(await ask('product-hours', 'a')).toEqual({
      partition: 1,
      windows: [
        { startMs: at('2010-12-31T23:00'), endMs: at('2011-01-01T00:00'), value: counts(1) },
        { startMs: at('2011-01-01T00:00'), endMs: at('2011-01-01T01:00'), value: counts(2) },
        { startMs: at('2011-01-01T05:00'), endMs: at('2011-01-01T06:00'), value: counts(3) },
      ],
    });
    expect(await viewsOf('product-hours', 'a/b')).toEqual([['2011-01-01T00:00', 91]]);
    expect(await viewsOf('product-hours', 'a/2011-01')).toEqual([['2011-01-01T00:00', 90]]);
  });

  test('are cut to a range that is half open, also within an hour', async () => {
    expect(await viewsOf('product-hours', 'a', '2011-01-01T00:00', '2011-01-01T05:00')).toEqual([
      ['2011-01-01T00:00', 2],
    ]);
    expect(await viewsOf('product-hours', 'a', '2011-01-01T00:30', '2011-01-01T05:01')).toEqual([
      ['2011-01-01T00:00', 2],
      ['2011-01-01T05:00', 3],
    ]);
    expect(await viewsOf('product-hours', 'a', '2012-01-01T00:00')).toEqual([]);
  });

  test('are days of a funnel, each with its counters', async () => {
    const found = await ask('category-funnels', 'home');
    expect(found!.windows).toEqual([
      { startMs: at('2011-01-31T00:00'), endMs: at('2011-02-01T00:00'), value: { windows: [1, 0, 0, 0, 0, 0, 0] } },
      { startMs: at('2011-02-01T00:00'), endMs: at('2011-02-02T00:00'), value: { windows: [0, 2, 0, 0, 0, 0, 0] } },
    ]);
  });

  test('are session windows that overlap the range; the last event belongs to one', async () => {
    const { startMs, endMs, ...value } = window('2011-01-01T10:00', '2011-01-01T10:30', 1);
    expect((await ask('session-windows', 's:1', { toMs: at('2011-01-01T12:00') }))!.windows).toEqual([
      { startMs, endMs, value },
    ]);
    const first = [['2011-01-01T10:00', 1]];
    expect(await viewsOf('session-windows', 's:1', '2011-01-01T10:30', '2011-01-01T11:00')).toEqual(first);
    expect(await viewsOf('session-windows', 's:1', '2011-01-01T10:31', '2011-01-01T12:00')).toEqual([]);
    expect(await viewsOf('session-windows', 's:1', '2011-01-01T10:31')).toEqual([['2011-01-01T12:00', 2]]);
  });

  test('are nothing of a key that the store has not', async () => {
    expect(await ask('product-hours', 'b')).toBeUndefined();
    expect(await ask('session-windows', 's:')).toBeUndefined();
  });

  test('are refused where the store has none, and where they are more than an answer may hold', async () => {
    await expect(ask('product-stats', 'a')).rejects.toThrow(
      "Store 'product-stats' holds no windows; those that do: session-windows, product-hours, category-hours, category-funnels.",
    );
    await expect(ask('category-hours', 'big')).rejects.toThrow(`at most ${windowsMax}`);
    expect((await ask('category-hours', 'big', { fromMs: at('2013-01-01T00:00') }))!.windows).toHaveLength(12 * 744);
  });
});
