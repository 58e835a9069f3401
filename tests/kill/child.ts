import { interactionSerde, productSerde, shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { hostTarget } from '../../serving/host/host-target.ts';
import { Host } from '../../serving/host/host.ts';
import { startServer } from '../../serving/index.ts';
import { ingest, ingestProducts } from '../../sources/index.ts';
import { sourceOf } from '../equality/catalogues.ts';
import type { ChildMessage, LifeOrder } from './life.ts';
import { eventsOf, versionsOf } from './pieces.ts';

/** One life of the system under test: host thread, HTTP server, sources. Ends by SIGKILL, or when told to. */
const order = JSON.parse(process.argv[2]!) as LifeOrder;
const tell = (message: ChildMessage): void => void process.send!(message);
const { dataDir, partitions } = order;
const host = await Host.open(
  {
    ...{ dataDir, partitions, commitIntervalMs: 100, storeCacheBytes: 64 * 1024 * 1024 },
    database: { walBytesMax: 2 * 1024 * 1024, writeBufferBytes: 4 * 1024 * 1024 },
  },
  new URL('./host-thread.ts', import.meta.url),
);
const registry = await openEmbeddedRegistry(dataDir);
const server = await startServer({ host, registry, port: 0 });
// In place of the server's own listener: a life whose topology has stopped is over.
host.onTopologyFailed((error) => tell({ kind: 'failed', message: error.message }));
tell({ kind: 'listening', url: server.url });

const { interactions, productsHistory } = shopTopics;
const events = {
  target: hostTarget(host, host.partitions),
  serde: await interactionSerde(registry, interactions),
};
const versions = {
  target: hostTarget(host, host.partitions, productsHistory),
  serde: await productSerde(registry, productsHistory),
};
for (const piece of order.pieces) {
  if (piece.kind === 'catalogue') {
    await ingestProducts({ source: sourceOf(piece.name, await versionsOf(piece)), ...versions });
  } else await ingest({ source: await eventsOf(piece), ...events });
  tell({ kind: 'ingested', name: piece.name });
}
tell({ kind: 'ready' });
process.on('message', () => {
  void (async () => {
    await host.request<'caughtUp'>({ kind: 'caughtUp' });
    await server.close();
    await host.close();
    process.exit(0);
  })();
});
