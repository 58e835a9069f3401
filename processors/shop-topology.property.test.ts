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
  type SchemaRegistry,
} from '../schemas/index.ts';
// oxlint-disable-next-line no-restricted-imports -- the driver takes an engine to restart on, and topology/ hands none out
import { createMemoryEngine } from '../state/index.ts';
import { TopologyTestDriver, type KeyValueStore } from '../topology/index.ts';
import { HyperLogLog } from './hll/hyper-log-log.ts';
import {
  bestTitle,
  chunkOfChunkKey,
  hourStartMs,
  interactionSerde,
  partitionOfItem,
  relationOfPairRow,
  itemOfPairRow,
  rowOfChunkKey,
  sessionKey,
  sessionStep,
  shopTopics,
  shopTopology,
  storeNames,
  stride,
  type Chunk,
  type PairTotals,
  type MonthOfHours,
  type ProductStats,
  type EventRelation,
  type TitleCount,
  type UserProducts,
  type UserProfile,
} from './index.ts';

const dayMs = 86_400_000;
let folder: string;
let registry: SchemaRegistry;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-shop-'));
  registry = await openEmbeddedRegistry(folder);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A small shop: few ids, so that everything repeats; late events, duplicates, gaps beyond 30 minutes and 24 hours. */
const event: fc.Arbitrary<Interaction> = fc
  .record({
    eventId: fc.integer({ min: 0, max: 60 }).map((n) => `e${n}`),
    userId: fc.constantFrom('u1', 'u2', 'ü3'),
    sessionId: fc.constantFrom(null, null, 's1', 's2'),
    productId: fc.constantFrom('a', 'b', 'c', 'd', 'é', 'f/1'),
    type: fc.constantFrom(...interactionTypes, 'view', 'view', 'cart', 'purchase', 'purchase'),
    quantity: fc.integer({ min: 1, max: 9 }),
    price: fc.integer({ min: 0, max: 100_000 }),
    currency: fc.constantFrom(null, 'GBP'),
    timestamp: fc.integer({ min: 0, max: 200 }).map((n) => 1_290_000_000_000 + n * 20 * 60_000),
    title: fc.constantFrom(null, 'Lamp', 'LAMP'),
    service: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
  })
  .map((value) => value as Interaction);

describe('the shop topology', () => {
  it.each([1, 3])(
    'keeps what a recomputation finds, with %i partitions, any batches, and restarts',
    async (partitions) => {
      const history = fc.array(event, { minLength: 1, maxLength: 120, size: 'max' });
      await fc.assert(
        fc.asyncProperty(history, fc.integer({ min: 1, max: 40 }), async (events, maxBatchRecords) => {
          // Two lives over one engine: the second reads every row back from its bytes.
          const engine = createMemoryEngine();
          const half = Math.floor(events.length / 2);
          for (const [at, life] of [events.slice(0, half), events.slice(half), []].entries()) {
            const driver = await TopologyTestDriver.create(await shopTopology({ registry, partitions }), {
              topics: {
                [shopTopics.interactions]: partitions,
                [shopTopics.clean]: partitions,
                [shopTopics.productsHistory]: partitions,
                [shopTopics.products]: partitions,
              },
              maxBatchRecords,
              engine,
            });
            const serde = await interactionSerde(registry, shopTopics.interactions);
            const input = driver.createInputTopic(shopTopics.interactions, stringSerde, serde);
            for (const value of life) {
              const key = sessionKey(value);
              input.enqueue(key, value, value.timestamp, { partition: partitionOfItem(key, partitions) });
            }
            await driver.run({ maxBatchRecords });
            if (at === 2) expect(await stateOf(driver, partitions)).toEqual(recompute(accepted(events)));
            await driver.close();
          }
        }),
        { numRuns: 20, endOnFailure: true },
      );
    },
  );

  it('puts an invalid event to the handler, counts it, and goes on', async () => {
    const driver = await TopologyTestDriver.create(await shopTopology({ registry }), {
      topics: { [shopTopics.interactions]: 1, [shopTopics.clean]: 1 },
      processingHandler: () => 'continue',
      maxBatchRecords: 10,
    });
    const serde = await interactionSerde(registry, shopTopics.interactions);
    const clean = driver.createOutputTopic(shopTopics.clean, stringSerde, serde);
    const input = driver.createInputTopic(shopTopics.interactions, stringSerde, serde);
    const good: Interaction = {
      eventId: 'e1',
      userId: 'u1',
      sessionId: null,
      productId: 'p1',
      type: 'purchase',
      quantity: 2,
      price: 10_000,
      currency: null,
      timestamp: dayMs,
      title: null,
      service: false,
    };
    input.enqueue('u:u1', { ...good, quantity: 0 }, dayMs);
    input.enqueue('u:u1', { ...good, quantity: 1e9, price: 1e15 }, dayMs);
    input.enqueue('u:u1', good, dayMs);
    input.enqueue('u:u1', { ...good, timestamp: 2 * dayMs }, 2 * dayMs);
    input.enqueue('u:u1', { ...good, timestamp: 2 * dayMs + 1 }, 2 * dayMs + 1);
    await driver.run();
    expect((await clean.readRecords()).map(({ value }) => value?.timestamp)).toEqual([dayMs, 2 * dayMs + 1]);
    const counters = driver.getStateStore<KeyValueStore<string, number>>(storeNames.cleanseCounters);
    expect([await counters.get('accepted'), await counters.get('duplicates'), await counters.get('invalid')]).toEqual([
      2, 1, 2,
    ]);
    await driver.close();
  });
});

interface ShopState {
  readonly products: Record<string, unknown>;
  readonly users: Record<string, UserProfile>;
  readonly userProducts: Record<string, unknown>;
  readonly marginals: Record<string, number>;
  readonly totals: Record<string, PairTotals>;
  readonly pairs: Record<string, readonly [weight: number, count: number]>;
}

/** First in log order stays. */
function accepted(events: readonly Interaction[]): Interaction[] {
  const kept: Interaction[] = [];
  for (const event of events) {
    const isSame = (other: Interaction) =>
      other.eventId === event.eventId &&
      other.userId === event.userId &&
      other.sessionId === event.sessionId &&
      Math.abs(other.timestamp - event.timestamp) <= dayMs;
    if (!kept.some(isSame)) kept.push(event);
  }
  return kept;
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return groups;
}

function recompute(events: readonly Interaction[]): ShopState {
  const state: ShopState = { products: {}, users: {}, userProducts: {}, marginals: {}, totals: {}, pairs: {} };
  for (const [productId, own] of groupBy(events, ({ productId }) => productId))
    state.products[productId] = product(own);
  for (const [userId, own] of groupBy(events, ({ userId }) => userId!)) {
    state.users[userId] = user(own);
    const products = userProducts(own);
    if (products.length > 0) state.userProducts[userId] = products;
  }
  for (const session of groupBy(events, sessionKey).values()) addSession(state, session);
  return state;
}

const amounts = (events: readonly Interaction[]) => {
  const count = (type: string) => events.filter((event) => event.type === type).length;
  const sum = (valueOf: (event: Interaction) => number) =>
    events.reduce((total, event) => {
      if (event.type === 'purchase') return total + valueOf(event);
      return event.type === 'return' ? total - valueOf(event) : total;
    }, 0);
  return {
    views: count('view'),
    carts: count('cart'),
    purchases: count('purchase'),
    returns: count('return'),
    quantity: sum(({ quantity }) => quantity),
    revenue: sum(({ quantity, price }) => quantity * price),
  };
};

const seen = (events: readonly Interaction[]) => ({
  firstSeenMs: Math.min(...events.map(({ timestamp }) => timestamp)),
  lastSeenMs: Math.max(...events.map(({ timestamp }) => timestamp)),
});

const byText = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1);
const byTime = (a: Interaction, b: Interaction) =>
  a.timestamp - b.timestamp || byText(a.eventId, b.eventId) || byText(a.productId, b.productId);
const byFirst = (a: { first: Interaction; title: string }, b: { first: Interaction; title: string }) =>
  a.first.timestamp - b.first.timestamp || byText(a.first.eventId, b.first.eventId) || byText(a.title, b.title);

function product(events: readonly Interaction[]): unknown {
  const stats: Omit<ProductStats, 'trend'> = {
    ...amounts(events),
    favorites: events.filter(({ type }) => type === 'favorite').length,
    removes: events.filter(({ type }) => type === 'remove').length,
    ratings: events.filter(({ type }) => type === 'rating').length,
    ...seen(events),
    service: events.some(({ service }) => service),
  };
  const counted = events.filter(({ type }) => ['view', 'cart', 'purchase', 'return'].includes(type));
  const hours = [...groupBy(counted, ({ timestamp }) => new Date(timestamp).toISOString().slice(0, 13))];
  const users = new HyperLogLog();
  for (const { type, userId } of events) if (type !== 'return') users.add(userId!);
  const titles = [
    ...groupBy(
      events.filter(({ title }) => title !== null),
      ({ title }) => title!,
    ),
  ];
  const ranked = titles
    .map(([title, own]) => ({ title, events: own.length, first: own.toSorted(byTime)[0]! }))
    .toSorted((a, b) => b.events - a.events || byFirst(a, b));
  return {
    stats,
    hours: Object.fromEntries(hours.map(([hour, own]) => [hour, amounts(own)])),
    users: users.toRegisters(),
    title: ranked[0]?.title ?? null,
    titles: Object.fromEntries(ranked.map(({ title, events: count }) => [title, count])),
  };
}

function user(events: readonly Interaction[]): UserProfile {
  const { revenue: spend, ...counts } = amounts(events);
  const shown = events.filter(({ type, service }) => type !== 'return' && !service);
  const latest = [...groupBy(shown, ({ productId }) => productId).values()].map((own) => own.toSorted(byTime).at(-1)!);
  const recent = latest
    .toSorted((a, b) => -byTime(a, b))
    .map(({ productId, timestamp, eventId }) => ({ productId, timestamp, eventId }));
  return { ...counts, spend, ...seen(events), recent };
}

const near = (weight: number) => expect.closeTo(weight, 9) as number;

function userProducts(events: readonly Interaction[]): unknown[] {
  const weights: Record<string, number> = { view: 1, cart: 3, purchase: 5 };
  const parts = events.filter(({ type, service }) => weights[type] !== undefined && !service);
  return [...groupBy(parts, ({ productId }) => productId)]
    .toSorted(([a], [b]) => byText(a, b))
    .map(([productId, own]) => {
      const { lastSeenMs: refMs } = seen(own);
      const weight = own.reduce((sum, e) => sum + weights[e.type]! * 2 ** ((e.timestamp - refMs) / (30 * dayMs)), 0);
      return { productId, refMs, weight: near(weight) };
    });
}

function addSession(state: ShopState, events: readonly Interaction[]): void {
  let sequences: Record<EventRelation, string[]> = { viewed: [], bought: [], cart: [] };
  let lastMs = -Infinity;
  const add = (map: Record<string, number>, key: string, amount: number) => {
    map[key] = (map[key] ?? 0) + amount;
  };
  for (const { type, service, sessionId, timestamp, productId } of events) {
    const relation = ({ view: 'viewed', cart: 'cart', purchase: 'bought' } as Record<string, EventRelation>)[type];
    if (service || relation === undefined) continue;
    if (sessionId === null && timestamp - lastMs > 30 * 60_000) {
      sequences = { viewed: [], bought: [], cart: [] };
      lastMs = timestamp;
    }
    lastMs = Math.max(lastMs, timestamp);
    const step = sessionStep(sequences[relation], productId);
    sequences[relation].push(productId);
    const totals = (state.totals[relation] ??= { sessions: 0, rep: zeros(), repN: zeros() });
    if (step.opens) totals.sessions += 1;
    if (step.reminderHit > 0) totals.rep[step.reminderHit]! += 1;
    for (let k = 1; k <= step.reminderPositions; k += 1) totals.repN[k]! += 1;
    if (step.first) add(state.marginals, `${relation} ${productId}`, 1);
    if (relation === 'bought' && step.first) addViewedBought(state, sequences.viewed, productId);
    for (const { item, forward, back, count } of step.pairs) {
      for (const [from, to, weight] of [
        [item, productId, forward],
        [productId, item, back],
      ] as const) {
        const before = state.pairs[`${relation} ${from}>${to}`] ?? [0, 0];
        state.pairs[`${relation} ${from}>${to}`] = [before[0] + weight, before[1] + count];
      }
    }
  }
}

/** The page's words, d by d. */
function addViewedBought({ pairs }: ShopState, viewed: readonly string[], j: string): void {
  const nearer = new Set<string>();
  for (let d = 1; d <= 10; d += 1) {
    const i = viewed.at(-d);
    if (i === undefined || i === j || nearer.has(i)) continue;
    nearer.add(i);
    const [weight, count] = pairs[`viewed-bought ${i}>${j}`] ?? [0, 0];
    pairs[`viewed-bought ${i}>${j}`] = [weight + Math.round(1024 / Math.sqrt(d)), count + 1];
  }
}

const zeros = () => Array<number>(11).fill(0);

async function stateOf(driver: TopologyTestDriver, partitions: number): Promise<ShopState> {
  const state: ShopState = { products: {}, users: {}, userProducts: {}, marginals: {}, totals: {}, pairs: {} };
  const stats = new Map<string, Omit<ProductStats, 'trend'>>();
  const hours = new Map<string, Record<string, unknown>>();
  for (let partition = 0; partition < partitions; partition += 1) {
    const all = async <K, V>(name: string): Promise<(readonly [K, V])[]> => {
      const rows: (readonly [K, V])[] = [];
      for await (const row of driver.getStateStore<KeyValueStore<K, V>>(name, partition).range()) rows.push(row);
      return rows;
    };
    // categories.property.test.ts looks at trends.
    for (const [id, { trend: _, ...row }] of await all<string, ProductStats>(storeNames.productStats))
      stats.set(id, row);
    for (const [key, month] of await all<string, MonthOfHours>(storeNames.productHours)) {
      const id = key.slice(0, key.lastIndexOf('/'));
      const own = hours.get(id) ?? {};
      hours.set(id, own);
      for (const { hour, ...sums } of month) {
        own[new Date(hourStartMs(key.slice(id.length + 1), hour)).toISOString().slice(0, 13)] = sums;
      }
    }
    const users = new Map(await all<string, HyperLogLog>(storeNames.productUsers));
    const titles = new Map(await all<string, TitleCount[]>(storeNames.productTitles));
    for (const [id] of await all<string, ProductStats>(storeNames.productStats)) {
      const own = titles.get(id) ?? [];
      state.products[id] = {
        stats: stats.get(id),
        hours: hours.get(id) ?? {},
        users: (users.get(id) ?? new HyperLogLog()).toRegisters(),
        title: bestTitle(own),
        titles: Object.fromEntries(own.map(({ title, events }) => [title, events])),
      };
    }
    for (const [id, profile] of await all<string, UserProfile>(storeNames.userProfiles)) state.users[id] = profile;
    for (const [id, own] of await all<string, UserProducts>(storeNames.userProducts)) state.userProducts[id] = own;
    for (const [relation, totals] of await all<string, PairTotals>(storeNames.pairTotals)) {
      const sum = (state.totals[relation] ??= { sessions: 0, rep: zeros(), repN: zeros() });
      sum.sessions += totals.sessions;
      for (let k = 1; k <= 10; k += 1) {
        sum.rep[k]! += totals.rep[k]!;
        sum.repN[k]! += totals.repN[k]!;
      }
    }
    const names = new Map(await all<number, string>(storeNames.pairItemNames));
    for (const [row, count] of await all<number, number>(storeNames.marginals)) {
      state.marginals[`${relationOfPairRow(row)} ${names.get(itemOfPairRow(row))}`] = count;
    }
    for (const [key, chunk] of await all<number, Chunk>(storeNames.pairs)) {
      const row = rowOfChunkKey(key);
      expect(chunkOfChunkKey(key)).toBe(0);
      const from = names.get(itemOfPairRow(row))!;
      expect(partitionOfItem(from, partitions)).toBe(partition);
      for (let word = 0; word < chunk.size * stride; word += stride) {
        const [neighbour, weight, count] = chunk.words.subarray(word, word + stride);
        state.pairs[`${relationOfPairRow(row)} ${from}>${names.get(neighbour!)}`] = [weight!, count!];
      }
    }
  }
  return state;
}
