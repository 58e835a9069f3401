/** Child of bench/replay: the whole shop topology over the log of a folder. Prints one line of JSON. */
import { shopTopics, shopTopology } from '../../processors/index.ts';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { EmbeddedRuntime } from '../../topology/index.ts';
import { openFolder } from './folder.ts';

const [folder, partitionsText] = process.argv.slice(2) as [string, string];
const partitions = Number(partitionsText);
await using opened = await openFolder(folder);
const { engine, commits, log } = opened;
const runtime = await EmbeddedRuntime.open({
  topology: await shopTopology({ registry: await openEmbeddedRegistry(folder), partitions }),
  applicationId: 'shop',
  engine,
  commits,
  log,
  topics: {
    [shopTopics.interactions]: partitions,
    [shopTopics.clean]: partitions,
    [shopTopics.productsHistory]: partitions,
    [shopTopics.products]: partitions,
  },
});
const cpu = process.cpuUsage();
const start = performance.now();
runtime.start();
await runtime.caughtUp();
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpu);
const written = (await engine.stats()).bytesWritten;
console.log(
  JSON.stringify({
    seconds,
    cpuSeconds: (user + system) / 1e6,
    bytesWritten: written,
    rssBytes: process.memoryUsage().rss,
    commits: runtime.metrics.total('commits'),
  }),
);
await runtime.stop();
