import {
  avroSerde,
  interactionSchema,
  productSchema,
  stringSerde,
  type Interaction,
  type Product,
  type SchemaRegistry,
  type Serde,
} from '../schemas/index.ts';
import { Stores, StreamsBuilder, type KStream, type Topology } from '../topology/index.ts';
import { interactionBinarySerde } from './binary/interaction-serde.ts';
import type { CategoryChange } from './categories/category-change.ts';
import { categoryChangeSerde } from './categories/category-change-serde.ts';
import { CategoryProcessor } from './categories/category-processor.ts';
import { categoryVersionsSerde } from './categories/category-versions.ts';
import { CleanseProcessor } from './cleanse/cleanse-processor.ts';
import { PairProcessor, partitionsOfStep } from './pairs/pair-processor.ts';
import type { PairStep } from './pairs/pair-step.ts';
import { pairStepSerde } from './pairs/pair-step-serde.ts';
import type { AcceptedVersion, ChangedCategories, ChangedCategory, ProductOutput } from './products/product-output.ts';
import { ProductProcessor } from './products/product-processor.ts';
import { SessionWindowProcessor } from './sessions/session-window-processor.ts';
import { SessionProcessor } from './sessions/session-processor.ts';
import { defaultShopParameters, type ShopParameters } from './shop-parameters.ts';
import { storeSerdes } from './shop-stores.ts';
import { storeNames } from './store-names.ts';
import { UserProcessor } from './users/user-processor.ts';

/** The shop's public topics; those between its tasks are repartition topics of its own. */
export const shopTopics = {
  interactions: 'interactions',
  clean: 'interactions.clean',
  deadLetter: 'interactions.dead-letter',
  /** Every version of every product, kept for ever; the key is the product's id. */
  productsHistory: 'products.history',
  /** The last version of each product; compacted. */
  products: 'products',
} as const;

export interface ShopOptions {
  readonly registry: SchemaRegistry;
  /** Of the repartition topics. Default 1. A data folder keeps the number it was made with. */
  readonly partitions?: number;
  readonly parameters?: ShopParameters;
}

/**
 * The shop as a topology (docs/architecture/shop.md):
 *
 *     interactions ─> cleanse ─> interactions.clean ─┬─> session step ─(pair-steps)─> pairs
 *                                                    ├─(by-user)────> user profiles
 *                                                    ├─(by-session)─> windows ─(category-sessions)─┐
 *                                                    │                   ^(category-versions)      ├─> categories
 *                                                    └─(by-product)─┬> products ─(category-products)
 *     products.history ─────────────────────────────────────────────┘    └─> products (topic)
 */
export async function shopTopology({
  registry,
  partitions = 1,
  parameters = defaultShopParameters,
}: ShopOptions): Promise<Topology> {
  const [raw, clean, history, products] = await Promise.all([
    interactionSerde(registry, shopTopics.interactions),
    interactionSerde(registry, shopTopics.clean),
    productSerde(registry, shopTopics.productsHistory),
    productSerde(registry, shopTopics.products),
  ]);
  const builder = new StreamsBuilder({ keySerde: stringSerde as Serde<unknown> });
  for (const name of Object.values(storeNames)) {
    const { key, value } = storeSerdes[name];
    builder.addStateStore(
      Stores.keyValue<unknown, unknown>(name, {
        keySerde: key as Serde<unknown>,
        valueSerde: value as Serde<unknown>,
      }),
    );
  }

  builder
    .stream<string, Interaction>(shopTopics.interactions, {
      name: 'interactions',
      keySerde: stringSerde,
      valueSerde: raw,
    })
    .process(
      { get: () => new CleanseProcessor(parameters.dedupeHorizonMs) },
      { name: 'cleanse', stores: [storeNames.eventsSeen, storeNames.cleanseCounters] },
    )
    .to(shopTopics.clean, { name: 'clean-sink', keySerde: stringSerde, valueSerde: clean });

  const interactions = builder.stream<string, Interaction>(shopTopics.clean, {
    name: 'clean',
    keySerde: stringSerde,
    valueSerde: clean,
  });
  addPairs(interactions, partitions, parameters);
  const versions = builder.stream<string, Product>(shopTopics.productsHistory, {
    name: 'catalogue',
    keySerde: stringSerde,
    valueSerde: history,
  });
  const outputs = addProducts(interactions, versions, { partitions, products });
  // Sub-topologies are numbered in this order, and folders hold their numbers (docs/architecture/topology-dsl.md).
  const changes = changesOfProducts(outputs, partitions);
  addCategories(changes, addSessionWindows(interactions, outputs, { partitions, gapMs: parameters.sessionGapMs }));
  addUsers(interactions, partitions);
  return builder.build();
}

/** Serde of interactions in a topic: Avro, its schema registered under the topic's value subject. */
export function interactionSerde(registry: SchemaRegistry, topic: string): Promise<Serde<Interaction>> {
  return avroSerde<Interaction>(registry, { subject: `${topic}-value`, schema: interactionSchema });
}

/** Serde of products in a topic: Avro, its schema registered under the topic's value subject. */
export function productSerde(registry: SchemaRegistry, topic: string): Promise<Serde<Product>> {
  return avroSerde<Product>(registry, { subject: `${topic}-value`, schema: productSchema });
}

function addPairs(interactions: KStream<string, Interaction>, partitions: number, parameters: ShopParameters): void {
  interactions
    .process<string, PairStep>(
      { get: () => new SessionProcessor(parameters) },
      { name: 'session-step', stores: [storeNames.sessions, storeNames.pairTotals] },
    )
    .repartition({
      name: 'pair-steps',
      keySerde: stringSerde,
      valueSerde: pairStepSerde,
      partitions,
      partitioner: (_topic, _key, step, count) => partitionsOfStep(step, count),
    })
    .process(
      { get: () => new PairProcessor(partitions) },
      {
        name: 'pair-rows',
        stores: [storeNames.pairItems, storeNames.pairItemNames, storeNames.marginals, storeNames.pairs],
      },
    );
}

function addProducts(
  interactions: KStream<string, Interaction>,
  versions: KStream<string, Product>,
  { partitions, products }: { readonly partitions: number; readonly products: Serde<Product> },
): KStream<string, ProductOutput> {
  const outputs = interactions
    .selectKey((_key, event) => event.productId, { name: 'product-key' })
    .repartition({ name: 'by-product', keySerde: stringSerde, valueSerde: interactionBinarySerde, partitions })
    .merge(versions, { name: 'events-and-versions' })
    .process<string, ProductOutput>(
      { get: () => new ProductProcessor() },
      {
        name: 'product-statistics',
        stores: [
          storeNames.productStats,
          storeNames.productHours,
          storeNames.productUsers,
          storeNames.productTitles,
          storeNames.titleWords,
          storeNames.catalogueCounters,
          storeNames.products,
          storeNames.productCategories,
        ],
      },
    );
  outputs
    .filter((_key, output): output is AcceptedVersion => output.kind === 'version', { name: 'accepted-versions' })
    .mapValues(({ product }) => product, { name: 'last-versions' })
    .to(shopTopics.products, { name: 'products-sink', keySerde: stringSerde, valueSerde: products });
  return outputs;
}

function changesOfProducts(outputs: KStream<string, ProductOutput>, partitions: number) {
  return outputs
    .filter((_key, output): output is ChangedCategory => output.kind === 'change', { name: 'category-changes' })
    .mapValues(({ change }) => change, { name: 'changes-of-products' })
    .repartition({ name: 'category-products', keySerde: stringSerde, valueSerde: categoryChangeSerde, partitions });
}

/**
 * Sessions have products of all partitions, so every partition of them knows the categories of all products. The way through
 * `by-session` changes no key: it makes the windows a sub-topology of their own, behind the products. Were they one with the
 * session step, which the products come from, the topics between them would be a loop, and a loop waits for commits: no
 * commit would be a consistent cut.
 */
function addSessionWindows(
  interactions: KStream<string, Interaction>,
  outputs: KStream<string, ProductOutput>,
  { partitions, gapMs }: { readonly partitions: number; readonly gapMs: number },
) {
  const versions = outputs
    .filter((_key, output): output is ChangedCategories => output.kind === 'categories', { name: 'changed-categories' })
    .mapValues(({ versions }) => versions, { name: 'categories-of-products' })
    .repartition({
      name: 'category-versions',
      keySerde: stringSerde,
      valueSerde: categoryVersionsSerde,
      partitions,
      partitioner: (_topic, _key, _versions, count) => Array.from({ length: count }, (_, partition) => partition),
    });
  return interactions
    .repartition({ name: 'by-session', keySerde: stringSerde, valueSerde: interactionBinarySerde, partitions })
    .merge(versions, { name: 'events-and-categories' })
    .process<string, CategoryChange>(
      { get: () => new SessionWindowProcessor(gapMs) },
      {
        name: 'session-windows',
        stores: [storeNames.sessionWindows, storeNames.sessionCategories, storeNames.productSessions],
      },
    )
    .repartition({ name: 'category-sessions', keySerde: stringSerde, valueSerde: categoryChangeSerde, partitions });
}

function addCategories(ofProducts: KStream<string, CategoryChange>, ofSessions: KStream<string, CategoryChange>): void {
  ofProducts.merge(ofSessions, { name: 'category-news' }).process(
    { get: () => new CategoryProcessor() },
    {
      name: 'category-statistics',
      stores: [
        storeNames.categoryHours,
        storeNames.categoryFunnels,
        storeNames.categoryProducts,
        storeNames.categoryTops,
      ],
    },
  );
}

function addUsers(interactions: KStream<string, Interaction>, partitions: number): void {
  interactions
    .filter((_key, event) => event.userId !== null, { name: 'named-users' })
    .selectKey((_key, event) => event.userId ?? '', { name: 'user-key' })
    .repartition({ name: 'by-user', keySerde: stringSerde, valueSerde: interactionBinarySerde, partitions })
    .process(
      { get: () => new UserProcessor() },
      { name: 'user-profiles', stores: [storeNames.userProfiles, storeNames.userProducts] },
    );
}
