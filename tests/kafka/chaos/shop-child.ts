/** A child of the chaos test: an instance of the shop, until it is killed. `shop-child.ts BROKER REGISTRY PARTITIONS FOLDER` */
import { mkdirSync } from 'node:fs';
import { confluentRegistry } from '../../../schemas/index.ts';
import { Host } from '../../../serving/host/index.ts';
import { startServer } from '../../../serving/index.ts';

const [broker, url, partitions, folder] = process.argv.slice(2) as [string, string, string, string];
const say = (what: object): void => {
  process.stdout.write(`${JSON.stringify(what)}\n`);
};
const fail = (error: unknown): void => {
  say({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exit(1);
};
mkdirSync(folder, { recursive: true });
const host = await Host.open({
  dataDir: folder,
  partitions: Number(partitions),
  runs: false,
  kafka: {
    log: { brokers: [broker], sessionTimeoutMs: 6000, heartbeatIntervalMs: 500, requestTimeoutMs: 5000 },
    registry: { url },
    applicationId: 'shop',
    standbyReplicas: 1,
  },
});
host.onTopologyFailed(fail);
host.onEnded(fail);
host.onNotice((text) => say(text.startsWith('Task') ? { givenUp: text } : { noticed: text }));
const server = await startServer({ host: { ...heardBy(host) }, registry: confluentRegistry({ url }), port: 0 });
await host.request<'start'>({ kind: 'start', url: server.url });
say({ started: true });

/** The server listens for failures too, and a host takes one listener. */
function heardBy(of: Host): Parameters<typeof startServer>[0]['host'] {
  return {
    partitions: of.partitions,
    publishedStores: of.publishedStores,
    request: (request, transfer) => of.request(request, transfer),
    onPublication: (listener) => of.onPublication(listener),
    onTopologyFailed: () => undefined,
  };
}
