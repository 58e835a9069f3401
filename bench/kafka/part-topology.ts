import { CleanseProcessor } from '../../processors/cleanse/cleanse-processor.ts';
import { defaultShopParameters, interactionSerde, shopTopics, storeNames } from '../../processors/index.ts';
import { addToStats, newProductStats, productStatsSerde } from '../../processors/products/product-stats.ts';
import { storeSerdes } from '../../processors/shop-stores.ts';
import { stringSerde, type Interaction, type SchemaRegistry, type Serde } from '../../schemas/index.ts';
import { Stores, StreamsBuilder, type Topology } from '../../topology/index.ts';

/**
 * The part of the shop that @kafkats/flow can express, with the same topics between its tasks:
 *
 *     interactions ─> cleanse ─> interactions.clean ─> by-product ─> product-stats
 */
export async function partTopology({
  registry,
  partitions,
}: {
  readonly registry: SchemaRegistry;
  readonly partitions: number;
}): Promise<Topology> {
  const [raw, clean] = await Promise.all(
    [shopTopics.interactions, shopTopics.clean].map((topic) => interactionSerde(registry, topic)),
  );
  const builder = new StreamsBuilder({ keySerde: stringSerde as Serde<unknown> });
  const cleanseStores = [storeNames.eventsSeen, storeNames.cleanseCounters];
  for (const name of cleanseStores) {
    const { key, value } = storeSerdes[name];
    const serdes = { keySerde: key as Serde<unknown>, valueSerde: value as Serde<unknown> };
    builder.addStateStore(Stores.keyValue<unknown, unknown>(name, serdes));
  }
  builder
    .stream<string, Interaction>(shopTopics.interactions, { name: 'raw', valueSerde: raw! })
    .process(
      { get: () => new CleanseProcessor(defaultShopParameters.dedupeHorizonMs) },
      { name: 'cleanse', stores: cleanseStores },
    )
    .to(shopTopics.clean, { name: 'clean-sink', keySerde: stringSerde, valueSerde: clean! });
  builder
    .stream<string, Interaction>(shopTopics.clean, { name: 'clean', valueSerde: clean! })
    .selectKey((_key, { productId }) => productId, { name: 'product-key' })
    .repartition({ name: 'by-product', keySerde: stringSerde, valueSerde: clean!, partitions })
    .groupByKey()
    .aggregate(
      newProductStats,
      (_productId, event, stats) => {
        addToStats(stats, event);
        return stats;
      },
      { name: 'product-statistics', store: { name: storeNames.productStats, valueSerde: productStatsSerde } },
    );
  return builder.build();
}
