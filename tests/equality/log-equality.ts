import { compareState, recomputeLog, type Comparison, type Recomputation } from '../../models/recompute/index.ts';
import { interactionSerde, productSerde, shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { Host } from '../../serving/host/host.ts';
import { hostTarget } from '../../serving/host/host-target.ts';
import { recordedEvents, recordedVersions } from '../../serving/host/recorded-events.ts';
import { readerWithView, viewOf } from '../../serving/view/served-state.ts';
import {
  ingest,
  ingestProducts,
  type EventSource,
  type IngestProgress,
  type ProductSource,
} from '../../sources/index.ts';

/** What a test loads into a running shop. */
export interface ShopIngest {
  events(source: EventSource): Promise<IngestProgress>;
  products(source: ProductSource): Promise<IngestProgress>;
  /** Comes back when all that was loaded has been processed. */
  processed(): Promise<void>;
}

export interface LogEquality {
  readonly expected: Recomputation;
  readonly comparison: Comparison;
}

/** The whole embedded system over what `load` puts in; then its state beside a recomputation of its two source topics. */
export async function compareWithLog(run: {
  readonly dataDir: string;
  readonly partitions: number;
  load(shop: ShopIngest): Promise<void>;
}): Promise<LogEquality> {
  const { dataDir, partitions } = run;
  await using host = await Host.open({ dataDir, partitions });
  const view = viewOf(host);
  const registry = await openEmbeddedRegistry(dataDir);
  const { interactions, productsHistory } = shopTopics;
  const eventSerde = await interactionSerde(registry, interactions);
  const versionSerde = await productSerde(registry, productsHistory);
  const processed = async (): Promise<void> => {
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
  };
  await run.load({
    events: (source) => ingest({ source, serde: eventSerde, target: hostTarget(host, partitions) }),
    products: (source) =>
      ingestProducts({ source, serde: versionSerde, target: hostTarget(host, partitions, productsHistory) }),
    processed,
  });
  await processed();
  const reader = await readerWithView(host, view);
  const upTo = await reader.asOf();
  const versions = recordedVersions(host, { registry, upTo });
  const expected = await recomputeLog(recordedEvents(host, { registry, upTo }), { versions });
  return { expected, comparison: await compareState(expected, reader) };
}
