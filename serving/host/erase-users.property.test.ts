import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openEmbeddedLog, partitionForKey } from '../../log/index.ts';
import {
  chunkOfChunkKey,
  interactionSerde,
  itemOfPairRow,
  productSerde,
  relationOfPairRow,
  rowOfChunkKey,
  sessionKey,
  shopTopics,
  shopTopology,
  storeNames,
  stride,
  type Chunk,
} from '../../processors/index.ts';
import {
  interactionTypes,
  MillraceError,
  openEmbeddedRegistry,
  type Interaction,
  type Product,
  type SchemaRegistry,
} from '../../schemas/index.ts';
import { createGroupCommit, createMemoryEngine } from '../../state/index.ts';
import { EmbeddedRuntime, type KeyValueStore } from '../../topology/index.ts';
import { firstGeneration } from './generations/generation-book.ts';
import { eraseUsers, resumeErasure, type ErasureParts } from './erase-users.ts';
import { EventIndex } from './event-index.ts';

/** A user is forgotten as if never seen: every store and topic is compared with those of a history without the user. */
let folder: string;
let registry: SchemaRegistry;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-erasure-'));
  registry = await openEmbeddedRegistry(folder);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const startMs = Date.UTC(2010, 10, 30, 12);
const time = fc.nat(200).map((n) => startMs + n * 11 * 60_000);

const event: fc.Arbitrary<Interaction> = fc.record({
  eventId: fc.nat(40).map((n) => `e${n}`),
  userId: fc.constantFrom('ü"1', 'ü"1', 'u2', 'u3'),
  sessionId: fc.constantFrom(null, null, 's1', 's2'),
  productId: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f/1'),
  type: fc.constantFrom(
    ...interactionTypes,
    'view' as const,
    'cart' as const,
    'purchase' as const,
    'purchase' as const,
  ),
  quantity: fc.nat(9),
  price: fc.nat(1000),
  currency: fc.constant(null),
  timestamp: time,
  title: fc.constantFrom(null, 'Lamp', 'LAMP', 'Red lamp', 'Red'),
  service: fc.nat(19).map((n) => n === 0),
});

const version: fc.Arbitrary<Product> = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'f/1'),
  title: fc.constantFrom(null, 'Lamp', 'Blue Lamp'),
  category: fc.constantFrom(null, 'home', 'toys'),
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

const history = fc.array(fc.oneof({ weight: 6, arbitrary: event }, { weight: 1, arbitrary: version }), {
  minLength: 1,
  maxLength: 100,
  size: 'max',
});

it.each([1, 3])('leaves state and log as if the user had never been seen, with %i partitions', async (partitions) => {
  await fc.assert(
    fc.asyncProperty(history, history, async (facts, later) => {
      const forgotten = 'ü"1';
      const isOfOthers = (fact: Interaction | Product) => 'updatedAt' in fact || fact.userId !== forgotten;
      const one = await open(partitions);
      await append(one, facts);
      const { events } = await eraseUsers([forgotten], one);
      const other = await open(partitions);
      await append(other, facts.filter(isOfOthers));
      await other.runtime.caughtUp();
      expect(await contentOf(one)).toEqual(await contentOf(other));
      expect(events).toBeLessThanOrEqual(facts.length);

      // What comes later, from the same user too, is taken as from somebody new.
      await append(one, later);
      await append(other, later);
      await Promise.all([one.runtime.caughtUp(), other.runtime.caughtUp()]);
      expect(await contentOf(one)).toEqual(await contentOf(other));
      await Promise.all([one.runtime.stop(), other.runtime.stop()]);
    }),
    { numRuns: 10, endOnFailure: true },
  );
});

it('finishes the topics after a crash behind the commit', async () => {
  const parts = await open(1);
  const facts = fc.sample(event, 30).map((one, at) => ({ ...one, eventId: `e${at}`, quantity: 1 }));
  await append(parts, facts);
  const crash = new Error('crash');
  const log = { ...parts.log, ...methodsOf(parts.log), removeRecords: () => Promise.reject(crash) };
  await expect(eraseUsers(['u2'], { ...parts, log })).rejects.toBe(crash);
  const before = (await contentOf(parts)).topics;
  expect(JSON.stringify(before)).toContain('u2');
  await resumeErasure(parts);
  const other = await open(1);
  await append(
    other,
    facts.filter(({ userId }) => userId !== 'u2'),
  );
  await other.runtime.caughtUp();
  expect(await contentOf(parts)).toEqual(await contentOf(other));
  await Promise.all([parts.runtime.stop(), other.runtime.stop()]);
});

function methodsOf<T extends object>(of: T): T {
  const proto = Object.getPrototypeOf(of) as object;
  const names = Object.getOwnPropertyNames(proto).filter((name) => name !== 'constructor');
  return Object.fromEntries(
    names.flatMap((name) => {
      const method = (of as Record<string, unknown>)[name];
      return typeof method === 'function' ? [[name, method.bind(of)]] : [];
    }),
  ) as T;
}

async function open(partitions: number): Promise<ErasureParts> {
  const engine = createMemoryEngine();
  const commits = createGroupCommit(engine);
  const log = await openEmbeddedLog({ engine, commits });
  const { interactions, clean, productsHistory, products, deadLetter } = shopTopics;
  const topics = Object.fromEntries([interactions, clean, productsHistory, products].map((name) => [name, partitions]));
  const runtime = await EmbeddedRuntime.open({
    topology: await shopTopology({ registry, partitions }),
    applicationId: 'shop',
    engine,
    commits,
    log,
    topics,
    handlers: {
      processing: (_, error) =>
        error.cause instanceof MillraceError && error.cause.code === 'INVALID_EVENT' ? 'dead-letter' : 'fail',
    },
    deadLetterTopic: deadLetter,
  });
  runtime.start();
  const index = new EventIndex(engine, Date.now);
  return { engine, commits, log, runtime, registry, partitions, index, generation: firstGeneration };
}

async function append({ log, partitions }: ErasureParts, facts: readonly (Interaction | Product)[]): Promise<void> {
  const events = await interactionSerde(registry, shopTopics.interactions);
  const versions = await productSerde(registry, shopTopics.productsHistory);
  for (const fact of facts) {
    const isVersion = 'updatedAt' in fact;
    const key = Buffer.from(isVersion ? fact.id : sessionKey(fact));
    const at = {
      topic: isVersion ? shopTopics.productsHistory : shopTopics.interactions,
      partition: partitionForKey(key, partitions),
    };
    const value = isVersion ? versions.serialize(fact) : events.serialize(fact);
    await log.produce(at, [{ key, value, timestamp: isVersion ? fact.updatedAt : fact.timestamp }]);
  }
}

interface Content {
  readonly stores: Record<string, Record<string, unknown>>;
  readonly topics: Record<string, readonly string[]>;
}

async function contentOf({ runtime, log, partitions }: ErasureParts): Promise<Content> {
  const content: Content = { stores: {}, topics: {} };
  for (const name of Object.values(storeNames)) content.stores[name] = {};
  for (let partition = 0; partition < partitions; partition += 1) {
    const all = async <K, V>(name: string): Promise<(readonly [K, V])[]> => {
      const rows: (readonly [K, V])[] = [];
      const store = runtime.stores(name).find((of) => of.partition === partition) as KeyValueStore<K, V>;
      for await (const row of store.range()) rows.push(row);
      return rows;
    };
    const names = new Map(await all<number, string>(storeNames.pairItemNames));
    const rowName = (row: number) => `${relationOfPairRow(row)} ${names.get(itemOfPairRow(row))}`;
    for (const name of Object.values(storeNames)) {
      const rows = content.stores[name]!;
      // Numbers of items are the partition's own, and stay.
      if (name === storeNames.pairItems || name === storeNames.pairItemNames) continue;
      for (const [key, value] of await all(name)) {
        if (name === storeNames.pairs || name === storeNames.eventsSeen) {
          const row = rowOfChunkKey(key as number);
          for (const [first, second, third] of entriesOf(value as Chunk)) {
            if (name === storeNames.pairs) rows[`${rowName(row)} > ${names.get(first!)}`] = [second, third];
            else rows[`${partition} ${row} ${first} ${second}`] = third;
          }
          expect(chunkOfChunkKey(key as number)).toBe(0);
        } else if (name === storeNames.marginals) rows[rowName(key as number)] = value;
        else rows[`${partition} ${String(key)}`] = comparable(value);
      }
    }
  }
  for (const topic of [shopTopics.interactions, shopTopics.clean, shopTopics.deadLetter]) {
    const serde = await interactionSerde(registry, topic === shopTopics.clean ? topic : shopTopics.interactions);
    for (let partition = 0; partition < (topic === shopTopics.deadLetter ? 1 : partitions); partition += 1) {
      const { records } = await log.read({ topic, partition }, 0, { maxRecords: 10_000, maxBytes: 2 ** 26 });
      const events = records.map(({ value }) => JSON.stringify(serde.deserialize(value!)));
      // Dead letters come from several partitions.
      content.topics[`${topic}-${partition}`] = topic === shopTopics.deadLetter ? events.toSorted() : events;
    }
  }
  return content;
}

function entriesOf({ words, size }: Chunk): number[][] {
  return Array.from({ length: size }, (_, at) => [...words.subarray(at * stride, (at + 1) * stride)]);
}

/** Sums of floats depend in their last bits on the order of the events, so does the order of equal trends; titles stand as they came. */
function comparable(value: unknown): unknown {
  const plain = JSON.parse(
    JSON.stringify(value, (key, of: unknown) => {
      if (typeof of === 'number' && !Number.isInteger(of)) return Number(of.toPrecision(8));
      if (of instanceof Uint8Array) return [...of];
      if (Array.isArray(of) && of.some((one) => (one as { title?: unknown } | null)?.title !== undefined)) {
        return (of as { title: string }[]).toSorted((a, b) => (a.title < b.title ? -1 : 1));
      }
      if (key === 'trending') {
        const { entries } = of as { entries: { productId: string }[] };
        return entries.toSorted((a, b) => (a.productId < b.productId ? -1 : 1));
      }
      return of;
    }),
  ) as unknown;
  return value instanceof Object && 'toRegisters' in value
    ? [...(value as { toRegisters(): Uint8Array }).toRegisters()]
    : plain;
}
