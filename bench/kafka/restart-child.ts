/**
 * Child of bench/restart.ts: the latest value of every key, on `DistributedRuntime`, one instance. It says, a line each, `opened`
 * (database and topics), `assigned` (the group has given it all tasks), and `serving` with what was restored: all tasks run, and the
 * row that was written last is read. Then it obeys: `rows` (says `rows` with their digest), `caught-up`, `stop`.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKafkaLog } from '../../log/index.ts';
import { stringSerde } from '../../schemas/index.ts';
import { createGroupCommit, openDataFolder, type TimestampedKeyValueStore } from '../../state/index.ts';
import { DistributedRuntime, StreamsBuilder, type RestoreProgress } from '../../topology/index.ts';
import type { InstanceSettings } from './restart-instance.ts';
import { RowsDigest, rowsTopic } from './restart-rows.ts';

const store = 'latest';
const askEveryMs = 5;
const settings = JSON.parse(process.argv[2]!) as InstanceSettings;
const { broker, applicationId, topic, folder, partitions, sessionTimeoutMs, last } = settings;

const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
builder
  .stream<string, string>(topic)
  .groupByKey()
  .reduce((_, value) => value, { name: 'latest', store });

const engine = await openDataFolder(folder);
const commits = createGroupCommit(engine);
await using log = await openKafkaLog({ brokers: [broker], sessionTimeoutMs });
const restores = new Map<string, RestoreProgress>();
const runtime = await DistributedRuntime.open({
  topology: builder.build(),
  applicationId,
  log,
  engine,
  commits,
  topics: { [rowsTopic]: partitions },
  onRestore: (progress) => restores.set(`${progress.topic}/${progress.partition}`, progress),
  onRecovery: ({ task, error }) => console.error(`The task ${task} was given up: ${error.message}`),
  onFailure: (error) => {
    console.error(error);
    process.exit(1);
  },
});
console.log('opened');
const started = runtime.start();
while (runtime.tasks.assigned.length < partitions) await sleep(askEveryMs);
console.log('assigned');
await started;
while (!(await serves())) await sleep(askEveryMs);
const restored = [...restores.values()].filter(({ topic: of }) => of.includes(`-${store}-`));
const records = restored.reduce((sum, each) => sum + each.records, 0);
console.log(`serving ${JSON.stringify({ records, full: restored.filter(({ full }) => full).length })}`);

for await (const order of createInterface({ input: process.stdin })) {
  if (order === 'caught-up') {
    await runtime.caughtUp();
    console.log('caught-up');
  } else if (order === 'rows') {
    // A task that was given up is opened again.
    while (runtime.runningTasks.length < partitions) await sleep(askEveryMs);
    const digest = new RowsDigest();
    for (const each of stores()) for await (const [key, { value }] of each.committedRange()) digest.add(key, value);
    console.log(`rows ${String(digest)}`);
  } else if (order === 'stop') break;
}
await runtime.stop();
await commits.idle();
await engine[Symbol.asyncDispose]();
process.exit(0);

function stores(): readonly TimestampedKeyValueStore<string, string>[] {
  return runtime.stores(store) as readonly TimestampedKeyValueStore<string, string>[];
}

/** Each task has its own partition's rows, so one of them has the last one, or none has. */
async function serves(): Promise<boolean> {
  if (runtime.runningTasks.length < partitions) return false;
  if (last === null) return true;
  const rows = await Promise.all(stores().map((each) => each.committedGet(last.key)));
  return rows.some((row) => row?.value === last.value);
}
