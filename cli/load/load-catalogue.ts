import { productSerde, shopTopics } from '../../processors/index.ts';
import { HostPort, hostTarget, openRegistry } from '../../serving/host/index.ts';
import { ingestProducts } from '../../sources/index.ts';
import type { ProductBatch, ProductSource } from '../../sources/index.ts';
import { openCatalogue } from './catalogue-formats.ts';
import type { LoadJob, LoadMessage, LoadProgress } from './load-messages.ts';
import { TalliedTarget } from './tallied-target.ts';

/** What the load thread does with a catalogue. */
export async function loadCatalogue(
  { path, format, catalogue = {}, dataDir, registry, partitions, host: port }: LoadJob,
  tell: (message: LoadMessage) => void,
  signal: AbortSignal,
): Promise<void> {
  const host = new HostPort(port);
  try {
    const file = await openCatalogue(path, format, catalogue);
    const serde = await productSerde(await openRegistry(dataDir, registry), shopTopics.productsHistory);
    const target = new TalliedTarget(hostTarget(host, partitions, shopTopics.productsHistory));
    const unusable: Record<string, number> = {};
    const source: ProductSource = { ...file, batches: () => counted(file, unusable) };
    let bytesRead = 0;
    const progress = (): LoadProgress => {
      const { tally } = target;
      return { ...tally, rows: tally.acknowledgedRows, bytesRead, bytesTotal: file.bytesTotal, unusable };
    };
    const onProgress = (read: { readonly bytesRead: number }): void => {
      bytesRead = read.bytesRead;
      tell({ kind: 'progress', progress: progress() });
    };
    try {
      await ingestProducts({ source, target, serde, onProgress, signal });
      tell({ kind: 'done', progress: progress() });
    } catch (error) {
      if (!signal.aborted) throw error;
      await target.settled();
      tell({ kind: 'stopped', progress: progress() });
    }
  } finally {
    host.close();
  }
}

async function* counted(file: ProductSource, unusable: Record<string, number>): AsyncGenerator<ProductBatch> {
  for await (const batch of file.batches()) {
    for (const [field, count] of Object.entries(batch.unusable)) unusable[field] = (unusable[field] ?? 0) + count;
    yield batch;
  }
}
