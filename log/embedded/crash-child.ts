import { createGroupCommit, openDataFolder } from '../../state/index.ts';
import { openEmbeddedLog } from './index.ts';

/** Appends batches without end and tells the parent of each acknowledgement, until crash.test.ts kills it. */
const [folder = '', life = '', batchRecords = ''] = process.argv.slice(2);
const engine = await openDataFolder(folder);
const log = await openEmbeddedLog({ engine, commits: createGroupCommit(engine) });
const partition = { topic: 'crash', partition: 0 };
await log.createTopics([{ name: partition.topic, partitions: 1 }]);

async function appendForEver(lane: number): Promise<void> {
  for (let i = 0; ; i++) {
    const batch = `life ${life} lane ${lane} batch ${i}`;
    const record = { key: null, value: Buffer.from(batch), timestamp: i };
    const { baseOffset } = await log.produce(partition, Array<typeof record>(Number(batchRecords)).fill(record));
    process.send?.([batch, baseOffset]);
    await new Promise(setImmediate);
  }
}

await Promise.all([0, 1, 2, 3].map(appendForEver));
