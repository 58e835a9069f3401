import {
  avroSerde,
  interactionSchema,
  stringSerde,
  type Interaction,
  type SchemaRegistry,
  type Serde,
} from '../schemas/index.ts';
import { Stores, StreamsBuilder, type KStream, type Topology } from '../topology/index.ts';
import { interactionBinarySerde } from './binary/interaction-serde.ts';
import { CleanseProcessor } from './cleanse/cleanse-processor.ts';
import { PairProcessor, partitionsOfStep } from './pairs/pair-processor.ts';
import type { PairStep } from './pairs/pair-step.ts';
import { pairStepSerde } from './pairs/pair-step-serde.ts';
import { ProductProcessor } from './products/product-processor.ts';
import { SessionProcessor } from './sessions/session-processor.ts';
import { storeSerdes } from './shop-stores.ts';
import { storeNames } from './store-names.ts';
import { UserProcessor } from './users/user-processor.ts';

/** The shop's public topics; `by-product`, `by-user` and `pair-steps` are its own repartition topics. */
export const shopTopics = {
  interactions: 'interactions',
  clean: 'interactions.clean',
  deadLetter: 'interactions.dead-letter',
} as const;

export interface ShopOptions {
  readonly registry: SchemaRegistry;
  /** Of the repartition topics. Default 1. A data folder keeps the number it was made with. */
  readonly partitions?: number;
  /** Within it, the same event id is the same event. Default 24 h. */
  readonly dedupeHorizonMs?: number;
}

/**
 * The shop as a topology (docs/architecture/shop.md):
 *
 *     interactions ─> cleanse ─> interactions.clean ─┬─> session step ─(pair-steps)─> pairs
 *                                                    ├─(by-product)─> product statistics
 *                                                    └─(by-user)────> user profiles
 */
export async function shopTopology({
  registry,
  partitions = 1,
  dedupeHorizonMs = 24 * 3_600_000,
}: ShopOptions): Promise<Topology> {
  const [raw, clean] = await Promise.all([
    interactionSerde(registry, shopTopics.interactions),
    interactionSerde(registry, shopTopics.clean),
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
      { get: () => new CleanseProcessor(dedupeHorizonMs) },
      { name: 'cleanse', stores: [storeNames.eventsSeen, storeNames.cleanseCounters] },
    )
    .to(shopTopics.clean, { name: 'clean-sink', keySerde: stringSerde, valueSerde: clean });

  const interactions = builder.stream<string, Interaction>(shopTopics.clean, {
    name: 'clean',
    keySerde: stringSerde,
    valueSerde: clean,
  });
  addPairs(interactions, partitions);
  addProducts(interactions, partitions);
  addUsers(interactions, partitions);
  return builder.build();
}

/** Serde of interactions in a topic: Avro, its schema registered under the topic's value subject. */
export function interactionSerde(registry: SchemaRegistry, topic: string): Promise<Serde<Interaction>> {
  return avroSerde<Interaction>(registry, { subject: `${topic}-value`, schema: interactionSchema });
}

function addPairs(interactions: KStream<string, Interaction>, partitions: number): void {
  interactions
    .process<string, PairStep>(
      { get: () => new SessionProcessor() },
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

function addProducts(interactions: KStream<string, Interaction>, partitions: number): void {
  interactions
    .selectKey((_key, event) => event.productId, { name: 'product-key' })
    .repartition({ name: 'by-product', keySerde: stringSerde, valueSerde: interactionBinarySerde, partitions })
    .process(
      { get: () => new ProductProcessor() },
      {
        name: 'product-statistics',
        stores: [storeNames.productStats, storeNames.productHours, storeNames.productUsers, storeNames.productTitles],
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
