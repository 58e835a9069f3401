/**
 * Child of bench/kafka.ts: the whole shop topology, or the part of part-topology.ts, on `DistributedRuntime`, one instance, obeying
 * the orders of peer.ts.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { openKafkaLog } from '../../log/index.ts';
import { shopTopics, shopTopology } from '../../processors/index.ts';
import { confluentRegistry } from '../../schemas/index.ts';
import type { HostRequests } from '../../serving/host/host-requests.ts';
import { HostStateReader } from '../../serving/host/state-reader.ts';
import { StoreReader } from '../../serving/host/store-reader.ts';
import { createGroupCommit, openDataFolder, type TimestampedKeyValueStore } from '../../state/index.ts';
import { DistributedRuntime } from '../../topology/index.ts';
import { partTopology } from './part-topology.ts';

const [brokers, registryUrl, applicationId, folder, partitionsText, commitIntervalText, which] = process.argv.slice(
  2,
) as [...[string, string, string, string, string, string, 'shop' | 'part']];
const partitions = Number(partitionsText);
const build = which === 'shop' ? shopTopology : partTopology;
const config = { commitIntervalMs: Number(commitIntervalText) };
const engine = await openDataFolder(folder);
const commits = createGroupCommit(engine);
await using log = await openKafkaLog({ brokers: brokers.split(',') });
const runtime = await DistributedRuntime.open({
  topology: await build({ registry: confluentRegistry({ url: registryUrl }), partitions }),
  applicationId,
  log,
  engine,
  commits,
  topics: Object.fromEntries(Object.values(shopTopics).map((topic) => [topic, partitions])),
  config,
  onRecovery: ({ task, error }) => console.error(`The task ${task} was given up: ${error.message}`),
  onFailure: (error) => {
    console.error(error);
    process.exit(1);
  },
});
console.log(`ready Node ${process.version}, ${JSON.stringify(config)}`);
for await (const order of createInterface({ input: process.stdin })) {
  if (order === 'start') {
    await runtime.start();
    console.log('started');
  } else if (order.startsWith('dump ')) {
    await (which === 'shop' ? dump : dumpPart)(order.slice('dump '.length));
    console.log('dumped');
  } else if (order === 'stop') break;
}
await runtime.stop();
await commits.idle();
await engine[Symbol.asyncDispose]();
process.exit(0);

/** As state-dump.ts reads it. */
async function dump(file: string): Promise<void> {
  const stores = new StoreReader(engine, runtime);
  const requests = {
    request: async (request: Parameters<HostRequests['request']>[0]) => {
      if (request.kind === 'stores') return stores.stores();
      if (request.kind === 'scan') return (await stores.ask(request)).answer;
      throw new Error(`A dump asks for no '${request.kind}'`);
    },
  } as HostRequests;
  const noLists = {} as ConstructorParameters<typeof HostStateReader>[1];
  const reader = new HostStateReader(requests, noLists);
  const output = createWriteStream(file);
  const write = async (store: string, rows: AsyncIterable<object>) => {
    for await (const row of rows) {
      if (!output.write(`${JSON.stringify({ store, ...row })}\n`)) await once(output, 'drain');
    }
  };
  await write('product-stats', reader.productStats());
  await write('product-hours', reader.productHours());
  await write('user-profiles', reader.userProfiles());
  await write('user-products', reader.userProducts());
  await write('session-windows', windowsAlone(reader));
  await write('marginals', reader.marginals());
  await write('pair-totals', reader.pairTotals());
  await write('pairs', reader.pairRows());
  output.end();
  await once(output, 'close');
}

async function dumpPart(file: string): Promise<void> {
  const output = createWriteStream(file);
  const stores = runtime.stores('product-stats') as readonly TimestampedKeyValueStore<string, object>[];
  for (const store of stores) {
    for await (const [productId, { value }] of store.committedRange()) {
      output.write(`${JSON.stringify({ store: 'product-stats', productId, ...value })}\n`);
    }
  }
  output.end();
  await once(output, 'close');
}

async function* windowsAlone(reader: HostStateReader) {
  for await (const window of reader.sessionWindows()) yield { windows: [window] };
}
