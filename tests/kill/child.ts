import { interactionSerde, shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { hostTarget } from '../../serving/host/host-target.ts';
import { Host } from '../../serving/host/host.ts';
import { startServer } from '../../serving/index.ts';
import { ingest, openUciOnlineRetail } from '../../sources/index.ts';
import type { ChildMessage, LifeOrder } from './life.ts';

/** One life of the system under test: host thread, HTTP server, file source. Ends by SIGKILL, or when told to. */
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

const serde = await interactionSerde(registry, shopTopics.interactions);
for (const file of order.files) {
  await ingest({ source: await openUciOnlineRetail(file), target: hostTarget(host, host.partitions), serde });
  tell({ kind: 'ingested', file });
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
