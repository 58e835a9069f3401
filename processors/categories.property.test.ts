import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  interactionTypes,
  openEmbeddedRegistry,
  stringSerde,
  type Interaction,
  type Product,
  type SchemaRegistry,
} from '../schemas/index.ts';
// oxlint-disable-next-line no-restricted-imports -- the driver takes an engine to restart on, and topology/ hands none out
import { createMemoryEngine } from '../state/index.ts';
import { TopologyTestDriver, type KeyValueStore } from '../topology/index.ts';
import {
  hourStartMs,
  interactionSerde,
  parseCategoryProductKey,
  parseMonthKey,
  partitionOfItem,
  productSerde,
  sessionKey,
  shopTopics,
  shopTopology,
  storeNames,
  trendingAt,
  type CategoryProduct,
  type CategoryTops,
  type CategoryVersions,
  type MonthOfFunnels,
  type MonthOfHours,
  type ProductStats,
  type SessionWindow,
  type SessionWindows,
} from './index.ts';

/**
 * The catalogue and what hangs on it, against a recomputation in plain sums: whatever order versions and events of
 * different products and sessions come in, wherever batches, commits and restarts fall.
 */
const hourMs = 3_600_000;
const startMs = Date.UTC(2010, 10, 30, 20);
let folder: string;
let registry: SchemaRegistry;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-categories-'));
  registry = await openEmbeddedRegistry(folder);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const productIds = ['a', 'b', 'ü', 'd/2010-12', 'e'];

/** Three half days, the first over a month's border, the others a month and two months later. */
const time = fc
  .tuple(fc.nat(2), fc.nat(12), fc.constantFrom(0, 1, 30 * 60_000, 30 * 60_000 + 1, 59 * 60_000))
  .map(([month, hour, ms]) => startMs + month * 31 * 24 * hourMs + hour * hourMs + ms);

const event: fc.Arbitrary<Interaction> = fc.record({
  eventId: fc.uuid(),
  userId: fc.constantFrom('u1', 'u2'),
  sessionId: fc.constantFrom(null, 's1'),
  productId: fc.constantFrom(...productIds),
  type: fc.constantFrom(...interactionTypes, 'view' as const, 'purchase' as const, 'return' as const),
  quantity: fc.integer({ min: 1, max: 3 }),
  price: fc.integer({ min: 0, max: 100 }),
  currency: fc.constant(null),
  timestamp: time,
  title: fc.constant(null),
  service: fc.nat(19).map((n) => n === 0),
});

const version: fc.Arbitrary<Product> = fc.record({
  id: fc.constantFrom(...productIds),
  title: fc.constantFrom(null, 'Lamp'),
  category: fc.constantFrom(null, 'home', 'toys', 'a/b', 'toys/2010-12'),
  price: fc.constant(null),
  listPrice: fc.constant(null),
  currency: fc.constant(null),
  stars: fc.constant(null),
  reviews: fc.constant(0),
  bestSeller: fc.constant(false),
  imageUrl: fc.constant(null),
  url: fc.constant(null),
  active: fc.nat(3).map((n) => n > 0),
  updatedAt: time,
});

type Fact = { readonly event: Interaction } | { readonly version: Product };
const fact: fc.Arbitrary<Fact> = fc.oneof(
  { weight: 3, arbitrary: event.map((value) => ({ event: value })) },
  { weight: 1, arbitrary: version.map((value) => ({ version: value })) },
);

describe('the catalogue and categories', () => {
  it.each([1, 3])(
    'are what a recomputation finds, with %i partitions, any batches, and restarts',
    async (partitions) => {
      const history = fc.array(fact, { minLength: 1, maxLength: 80, size: 'max' });
      await fc.assert(
        fc.asyncProperty(history, fc.integer({ min: 1, max: 30 }), async (facts, maxBatchRecords) => {
          const engine = createMemoryEngine();
          const third = Math.ceil(facts.length / 3);
          const lives = [facts.slice(0, third), facts.slice(third, 2 * third), facts.slice(2 * third), []];
          for (const [at, life] of lives.entries()) {
            const driver = await open(partitions, { engine, maxBatchRecords });
            await enqueue(driver, life, partitions);
            await driver.run({ maxBatchRecords });
            if (at === 3) expect(await stateOf(driver, partitions)).toEqual(recompute(facts));
            await driver.close();
          }
        }),
        { numRuns: 20, endOnFailure: true },
      );
    },
  );

  it('send each accepted version to the topic of last versions, and count the others', async () => {
    const driver = await open(1, {});
    const output = driver.createOutputTopic(
      shopTopics.products,
      stringSerde,
      await productSerde(registry, shopTopics.products),
    );
    const lamp = { ...fc.sample(version, 1)[0]!, id: 'a', title: 'Lamp', updatedAt: startMs };
    await enqueue(
      driver,
      [
        { version: lamp },
        { version: { ...lamp, updatedAt: startMs + 1 } },
        { version: { ...lamp, title: 'Late', updatedAt: startMs - 1 } },
        { version: { ...lamp, title: 'New', updatedAt: startMs + 2 } },
        { version: { ...lamp, id: '' } },
      ],
      1,
    );
    await driver.run();
    expect((await output.readKeyValues()).map(([key, value]) => [key, value?.title])).toEqual([
      ['a', 'Lamp'],
      ['a', 'New'],
    ]);
    const counters = driver.getStateStore<KeyValueStore<string, number>>(storeNames.catalogueCounters);
    const counts = await Promise.all(['accepted', 'same', 'late', 'invalid'].map((counter) => counters.get(counter)));
    expect(counts).toEqual([2, 1, 1, 1]);
    await driver.close();
  });

  it('make a list anew from all products when too many of those it held are gone', async () => {
    const driver = await open(1, { maxBatchRecords: 500 });
    const ids = Array.from({ length: 1000 }, (_, at) => `p${String(at).padStart(4, '0')}`);
    const [sample] = fc.sample(event, 1);
    const bought = ids.map((productId, at) => ({
      event: {
        ...sample!,
        eventId: productId,
        productId,
        type: 'purchase' as const,
        timestamp: startMs + at,
        service: false,
      },
    }));
    await enqueue(driver, bought, 1);
    await driver.run();
    const [base] = fc.sample(version, 1);
    // The last 500 are the strongest trends; the first 500 are the first of equal best sellers.
    const gone = [...ids.slice(0, 450), ...ids.slice(550)];
    await enqueue(
      driver,
      gone.map((id) => ({ version: { ...base!, id, category: null, active: false } })),
      1,
    );
    await driver.run();
    const tops = await driver.getStateStore<KeyValueStore<string, CategoryTops>>(storeNames.categoryTops).get('');
    const left = ids.slice(450, 550);
    expect(tops?.bestSellers.entries.map(({ productId }) => productId)).toEqual(left);
    expect(tops?.trending.entries.map(({ productId }) => productId)).toEqual(left.toReversed());
    expect([tops?.products, tops?.active]).toEqual([1000, 100]);
    await driver.close();
  });
});

async function open(
  partitions: number,
  options: { readonly engine?: ReturnType<typeof createMemoryEngine>; readonly maxBatchRecords?: number },
): Promise<TopologyTestDriver> {
  const { interactions, clean, productsHistory, products } = shopTopics;
  const topics = Object.fromEntries([interactions, clean, productsHistory, products].map((name) => [name, partitions]));
  const topology = await shopTopology({ registry, partitions });
  return TopologyTestDriver.create(topology, { ...options, topics, processingHandler: () => 'continue' });
}

async function enqueue(driver: TopologyTestDriver, facts: readonly Fact[], partitions: number): Promise<void> {
  const events = driver.createInputTopic(
    shopTopics.interactions,
    stringSerde,
    await interactionSerde(registry, shopTopics.interactions),
  );
  const versions = driver.createInputTopic(
    shopTopics.productsHistory,
    stringSerde,
    await productSerde(registry, shopTopics.productsHistory),
  );
  for (const one of facts) {
    if ('event' in one) {
      const key = sessionKey(one.event);
      events.enqueue(key, one.event, one.event.timestamp, { partition: partitionOfItem(key, partitions) });
    } else {
      const { id, updatedAt } = one.version;
      versions.enqueue(id, one.version, updatedAt, { partition: partitionOfItem(id, partitions) });
    }
  }
}

interface CategoryState {
  readonly products: Record<string, Product>;
  readonly categories: Record<string, CategoryVersions>;
  readonly trends: Record<string, unknown>;
  /** `<category>|<hour>` */
  readonly hours: Record<string, unknown>;
  /** `<category>|<product>` */
  readonly members: Record<string, unknown>;
  readonly tops: Record<string, unknown>;
  /** By session key. */
  readonly windows: Record<string, unknown>;
  /** `<category>|<UTC day>` → windows by bits. */
  readonly funnels: Record<string, number[]>;
}

function noState(): CategoryState {
  return { products: {}, categories: {}, trends: {}, hours: {}, members: {}, tops: {}, windows: {}, funnels: {} };
}

// The recomputation

function recompute(facts: readonly Fact[]): CategoryState {
  const events = facts.flatMap((one) => ('event' in one ? one.event : []));
  const state = noState();
  const rows = new Map<string, CategoryProduct>();
  for (const id of productIds) {
    const accepted = acceptedVersions(
      facts.flatMap((one) => ('version' in one && one.version.id === id ? one.version : [])),
    );
    const own = events.filter(({ productId }) => productId === id);
    if (accepted.length > 0) {
      state.products[id] = accepted.at(-1)!;
      state.categories[id] = categoriesOf(accepted);
    }
    for (const one of own) addHour(state.hours, categoryAtHour(accepted, one.timestamp), one);
    const row: CategoryProduct = {
      active: accepted.at(-1)?.active ?? true,
      service: own.some(({ service }) => service),
      purchases: own.filter(({ type }) => type === 'purchase').length,
      trend: trendOf(own),
    };
    if (own.length > 0) state.trends[id] = near(row.trend);
    const category = accepted.at(-1)?.category ?? null;
    if (category !== null) rows.set(`${category}|${id}`, row);
    if (own.length > 0) rows.set(`|${id}`, row);
  }
  addWindows(state, events, (id, timestamp) =>
    categoryAtHour(
      acceptedVersions(facts.flatMap((one) => ('version' in one && one.version.id === id ? one.version : []))),
      timestamp,
    ),
  );
  for (const [key, row] of rows) state.members[key] = { ...row, trend: near(row.trend) };
  for (const category of new Set([...rows.keys()].map((key) => key.split('|')[0]!))) {
    const own = [...rows]
      .filter(([key]) => key.split('|')[0] === category)
      .map(([key, row]) => ({ id: key.split('|')[1]!, ...row }));
    state.tops[category] = topsOf(own, category === '');
  }
  for (const key of Object.keys(state.hours))
    if (Object.values(state.hours[key] as object).every((n) => n === 0)) delete state.hours[key];
  return state;
}

/** The page's words: all events of a key by time, cut where more than 30 minutes lie between two neighbours. */
function addWindows(
  { windows, funnels }: CategoryState,
  events: readonly Interaction[],
  categoryOf: (id: string, timestamp: number) => string | null,
): void {
  for (const key of new Set(events.filter(({ service }) => !service).map(sessionKey))) {
    const own = events
      .filter((one) => sessionKey(one) === key && !one.service)
      .toSorted((a, b) => a.timestamp - b.timestamp || (a.eventId < b.eventId ? -1 : 1));
    const groups: Interaction[][] = [];
    for (const [at, one] of own.entries()) {
      if (at === 0 || one.timestamp - own[at - 1]!.timestamp > 30 * 60_000) groups.push([]);
      groups.at(-1)!.push(one);
    }
    windows[key] = groups.map(windowOf);
    for (const group of groups) {
      const day = Math.floor(group[0]!.timestamp / (24 * hourMs));
      const bitsOf: Record<string, number> = {};
      for (const { productId, timestamp, type } of group) {
        const category = categoryOf(productId, timestamp);
        const bit = { view: 1, cart: 2, purchase: 4 }[type as string];
        if (category !== null && bit !== undefined) bitsOf[category] = (bitsOf[category] ?? 0) | bit;
      }
      for (const [category, bits] of Object.entries(bitsOf)) {
        const row = (funnels[`${category}|${day}`] ??= [0, 0, 0, 0, 0, 0, 0]);
        row[bits - 1]! += 1;
      }
    }
  }
}

function windowOf(events: readonly Interaction[]): SessionWindow {
  const count = (type: string) => events.filter((one) => one.type === type).length;
  const sum = (of: (one: Interaction) => number) =>
    events.reduce(
      (total, one) => total + (one.type === 'purchase' ? of(one) : one.type === 'return' ? -of(one) : 0),
      0,
    );
  const last = events.findLast(({ userId }) => userId !== null);
  const products = new Map<string, { productId: string; hourMs: number; bits: number }>();
  for (const { productId, type, timestamp } of events) {
    const bit = { view: 1, cart: 2, purchase: 4 }[type as string] ?? 0;
    const hour = Math.floor(timestamp / hourMs) * hourMs;
    const row = products.get(`${productId} ${hour}`) ?? { productId, hourMs: hour, bits: 0 };
    if (bit > 0) products.set(`${productId} ${hour}`, { ...row, bits: row.bits | bit });
  }
  return {
    startMs: events[0]!.timestamp,
    endMs: events.at(-1)!.timestamp,
    user: last === undefined ? null : { userId: last.userId!, timestampMs: last.timestamp, eventId: last.eventId },
    views: count('view'),
    carts: count('cart'),
    purchases: count('purchase'),
    returns: count('return'),
    quantity: sum(({ quantity }) => quantity),
    revenue: sum(({ quantity, price }) => quantity * price),
    products: [...products.values()].toSorted((a, b) =>
      a.productId === b.productId ? a.hourMs - b.hourMs : a.productId < b.productId ? -1 : 1,
    ),
  };
}

/** In the order of the log; late ones and those that say nothing new are left out. */
function acceptedVersions(versions: readonly Product[]): Product[] {
  const accepted: Product[] = [];
  for (const one of versions) {
    const last = accepted.at(-1);
    if (last !== undefined && one.updatedAt < last.updatedAt) continue;
    if (last !== undefined && JSON.stringify({ ...one, updatedAt: 0 }) === JSON.stringify({ ...last, updatedAt: 0 }))
      continue;
    accepted.push(one);
  }
  return accepted;
}

function categoriesOf(accepted: readonly Product[]): CategoryVersions {
  const last = new Map<number, string | null>();
  for (const { updatedAt, category } of accepted) {
    last.set(updatedAt, category);
  }
  return [...last]
    .map(([fromMs, category]) => ({ fromMs, category }))
    .filter(({ category }, at, all) => at === 0 || category !== all[at - 1]!.category);
}

function categoryAtHour(accepted: readonly Product[], timestamp: number): string | null {
  const categories = categoriesOf(accepted);
  const hour = Math.floor(timestamp / hourMs) * hourMs;
  return (categories.findLast(({ fromMs }) => fromMs <= hour) ?? categories[0])?.category ?? null;
}

function addHour(
  hours: Record<string, unknown>,
  category: string | null,
  { type, timestamp, quantity, price }: Interaction,
): void {
  if (category === null || !['view', 'cart', 'purchase', 'return'].includes(type)) return;
  const key = `${category}|${Math.floor(timestamp / hourMs)}`;
  const pieces = type === 'purchase' ? quantity : type === 'return' ? -quantity : 0;
  const sums = (hours[key] ?? { views: 0, carts: 0, purchases: 0, returns: 0, quantity: 0, revenue: 0 }) as Record<
    string,
    number
  >;
  sums[`${type}s`]! += 1;
  sums['quantity']! += pieces;
  sums['revenue']! += pieces * price;
  hours[key] = sums;
}

function trendOf(events: readonly Interaction[]): CategoryProduct['trend'] {
  const weights: Record<string, number> = { view: 1, cart: 3, purchase: 5 };
  const own = events.filter(({ type }) => weights[type] !== undefined);
  if (own.length === 0) return { refMs: 0, fast: 0, slow: 0 };
  const refMs = Math.max(...own.map(({ timestamp }) => timestamp));
  const sum = (days: number) =>
    own.reduce(
      (total, { type, timestamp }) => total + weights[type]! * 0.5 ** ((refMs - timestamp) / (days * 24 * hourMs)),
      0,
    );
  return { refMs, fast: sum(1), slow: sum(14) };
}

function topsOf(rows: readonly ({ id: string } & CategoryProduct)[], isWhole: boolean): unknown {
  const shown = rows.filter(({ active, service }) => active && !service);
  const lastMs = Math.max(...rows.map(({ trend }) => trend.refMs));
  const trending = shown
    .filter(({ trend }) => trend.fast > 0)
    .map(({ id, trend }) => ({ productId: id, score: scoreOf(trend, lastMs) }))
    .toSorted((a, b) => b.score - a.score || (a.productId < b.productId ? -1 : 1));
  const bestSellers = shown
    .filter(({ purchases }) => purchases > 0)
    .map(({ id, purchases }) => ({ productId: id, purchases }))
    .toSorted((a, b) => b.purchases - a.purchases || (a.productId < b.productId ? -1 : 1));
  return {
    products: rows.length,
    active: rows.filter(({ active }) => active).length,
    lastMs: isWhole ? lastMs : 0,
    scores: trending.map(({ productId, score }) => [productId, expect.closeTo(score, 9)]).toSorted(byId),
    bestSellers,
  };
}

const scoreOf = ({ refMs, fast, slow }: CategoryProduct['trend'], atMs: number) =>
  (fast * 0.5 ** ((atMs - refMs) / (24 * hourMs))) / (slow * 0.5 ** ((atMs - refMs) / (14 * 24 * hourMs)) + 20);

const near = ({ refMs, fast, slow }: CategoryProduct['trend']) => ({
  refMs,
  fast: expect.closeTo(fast, 9) as number,
  slow: expect.closeTo(slow, 9) as number,
});

const byId = (a: readonly unknown[], b: readonly unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);

// What the topology keeps, in the same shape

async function stateOf(driver: TopologyTestDriver, partitions: number): Promise<CategoryState> {
  const state = noState();
  for (let partition = 0; partition < partitions; partition += 1) {
    const all = async <V>(name: string): Promise<(readonly [string, V])[]> => {
      const rows: (readonly [string, V])[] = [];
      for await (const row of driver.getStateStore<KeyValueStore<string, V>>(name, partition).range()) rows.push(row);
      return rows;
    };
    for (const [id, row] of await all<Product>(storeNames.products)) state.products[id] = row;
    for (const [id, row] of await all<CategoryVersions>(storeNames.productCategories)) state.categories[id] = row;
    for (const [id, { trend }] of await all<ProductStats>(storeNames.productStats)) state.trends[id] = trend;
    for (const [key, month] of await all<MonthOfHours>(storeNames.categoryHours)) {
      const { id, month: name } = parseMonthKey(key);
      for (const { hour, ...sums } of month) state.hours[`${id}|${hourStartMs(name, hour) / hourMs}`] = sums;
    }
    for (const [key, row] of await all<SessionWindows>(storeNames.sessionWindows)) state.windows[key] = row;
    for (const [key, month] of await all<MonthOfFunnels>(storeNames.categoryFunnels)) {
      const { id, month: name } = parseMonthKey(key);
      for (const { day, windows } of month)
        state.funnels[`${id}|${Date.parse(`${name}-01`) / 86_400_000 + day - 1}`] = windows;
    }
    for (const [key, row] of await all<CategoryProduct>(storeNames.categoryProducts)) {
      const { category, productId } = parseCategoryProductKey(key);
      state.members[`${category}|${productId}`] = row;
    }
    for (const [category, { trending, bestSellers, ...tops }] of await all<CategoryTops>(storeNames.categoryTops)) {
      // In an order that rounding cannot change; the order itself is looked at where a list is made anew.
      const newest = Math.max(...(await refTimes(driver, partitions, category)));
      state.tops[category] = {
        ...tops,
        scores: trendingAt(trending.entries, newest)
          .map(({ productId, score }) => [productId, score])
          .toSorted(byId),
        bestSellers: bestSellers.entries.map(({ productId, purchases }) => ({ productId, purchases })),
      };
    }
  }
  return state;
}

async function refTimes(driver: TopologyTestDriver, partitions: number, of: string): Promise<number[]> {
  const times: number[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    const store = driver.getStateStore<KeyValueStore<string, CategoryProduct>>(storeNames.categoryProducts, partition);
    for await (const [key, { trend }] of store.range()) {
      if (parseCategoryProductKey(key).category === of) times.push(trend.refMs);
    }
  }
  return times;
}
