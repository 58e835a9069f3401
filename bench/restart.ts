/**
 * Serving again after SIGKILL on Apache Kafka, beside a full restore of the same state.
 *
 *     npm run bench:restart -- [--keys 5000000] [--partitions 4] [--rounds 3] [--updates 20000] [--session-timeout 45000]
 *
 * An instance in a process of its own (`DistributedRuntime`, exactly once, its defaults) keeps the latest value of so many keys. Then, by
 * turns, it is killed while it processes updates of the last keys, and started again
 *
 * | over its folder | it takes the tail of its changelogs in                                     |
 * | without it      | it restores everything from its changelogs, when its session has timed out |
 * | empty           | another application, which has nothing: what a start and the group cost    |
 *
 * Measured from the spawn: until the database and the topics are open, until the group has given it its tasks, and until all of them run
 * and the row that was written last is read. After each start all rows are read, and held against what was written: number and
 * digest. Needs Java 17 and Maven.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openKafkaLog } from '../log/index.ts';
import { startKafka } from '../scripts/kafka/broker.ts';
import { RestartInstance, type InstanceSettings, type Start } from './kafka/restart-instance.ts';
import { appendRows, rowKey, RowsDigest, rowsTopic, rowValue } from './kafka/restart-rows.ts';
import { median, spread } from './support/spread.ts';

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '5000000' },
    partitions: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    updates: { type: 'string', default: '20000' },
    'session-timeout': { type: 'string', default: '45000' },
  },
});
const keys = Number(values.keys);
const partitions = Number(values.partitions);
const updates = Math.min(keys, Number(values.updates));

const work = await mkdtemp(join(tmpdir(), 'millrace-bench-restart-'));
try {
  await using broker = await startKafka();
  await using log = await openKafkaLog({ brokers: [broker.address] });
  print(`Node ${process.version}, Kafka ${broker.version}, ${availableParallelism()} cores, load ${load()}`);
  await log.createTopics([rowsTopic, 'nothing'].map((name) => ({ name, partitions })));
  let version = 0;
  const full = (folder: string): InstanceSettings => ({
    broker: broker.address,
    applicationId: 'restart',
    topic: rowsTopic,
    folder: join(work, folder),
    partitions,
    sessionTimeoutMs: Number(values['session-timeout']),
    last: { key: rowKey(keys - 1), value: rowValue(keys - 1, version) },
  });
  const empty: InstanceSettings = { ...full('empty'), applicationId: 'nothing', topic: 'nothing', last: null };

  const filledAtMs = performance.now();
  await appendRows(log, partitions, { from: 0, to: keys, version });
  let folder = 'folder-0';
  let instance = new RestartInstance(full(folder));
  await instance.serving();
  await instance.caughtUp();
  await checkRows(instance);
  print(`${whole(keys)} keys, ${partitions} partitions, filled in ${seconds(performance.now() - filledAtMs)} s`);
  let idle = new RestartInstance(empty);
  await idle.serving();

  /** Kills the instance half way through an update of the last keys, whose rest comes after that. */
  const killedAtWork = async (): Promise<void> => {
    version += 1;
    const half = keys - Math.floor(updates / 2);
    await appendRows(log, partitions, { from: keys - updates, to: half, version });
    await instance[Symbol.asyncDispose]();
    await appendRows(log, partitions, { from: half, to: keys, version });
  };
  const startedAgain = async (): Promise<Start> => {
    instance = new RestartInstance(full(folder));
    const start = await instance.serving();
    await instance.caughtUp();
    await checkRows(instance);
    return start;
  };
  const ways: Record<Way, () => Promise<Start>> = {
    'over its folder': async () => {
      await killedAtWork();
      return await startedAgain();
    },
    'without it': async () => {
      await killedAtWork();
      await rm(join(work, folder), { recursive: true });
      folder = `folder-${version}`;
      return await startedAgain();
    },
    empty: async () => {
      await idle[Symbol.asyncDispose]();
      idle = new RestartInstance(empty);
      return await idle.serving();
    },
  };
  const starts = new Map<Way, Start[]>();
  for (let round = 0; round < Number(values.rounds); round++) {
    const turns = Object.entries(ways) as [Way, () => Promise<Start>][];
    for (const [way, started] of round % 2 === 0 ? turns : turns.toReversed()) {
      const start = await started();
      starts.set(way, [...(starts.get(way) ?? []), start]);
      print(`round ${round + 1}, ${way}: serving after ${seconds(start.servingMs)} s; load ${load()}`);
    }
  }
  report(starts);

  async function checkRows(of: RestartInstance): Promise<void> {
    const expected = new RowsDigest();
    for (let n = 0; n < keys; n++) expected.add(rowKey(n), rowValue(n, n < keys - updates ? 0 : version));
    const found = await of.rows();
    if (found !== String(expected)) throw new Error(`Read ${found}; written were ${String(expected)}`);
  }
} finally {
  await RestartInstance.killAll();
  await rm(work, { recursive: true, force: true });
}

type Way = 'over its folder' | 'without it' | 'empty';

function report(starts: ReadonlyMap<Way, readonly Start[]>): void {
  const columns: readonly Way[] = ['over its folder', 'without it', 'empty'];
  const row = (label: string, cell: (way: Way) => string) =>
    print(label.padEnd(30) + columns.map((way) => cell(way).padStart(24)).join(''));
  const seen = (of: (start: Start) => number, digits: number) => (way: Way) => spread(starts.get(way)!.map(of), digits);
  const stateMs = (way: Way) => median(starts.get(way)!.map((start) => start.servingMs - start.assignedMs));
  const servingMs = (way: Way) => median(starts.get(way)!.map((start) => start.servingMs));
  print('');
  row('started after SIGKILL', (way) => way);
  row(
    'open, s',
    seen(({ openedMs }) => openedMs / 1000, 2),
  );
  row(
    'tasks given, s',
    seen(({ assignedMs }) => assignedMs / 1000, 2),
  );
  row(
    'serving, s',
    seen(({ servingMs: ms }) => ms / 1000, 2),
  );
  row(
    '  since tasks were given',
    seen(({ assignedMs, servingMs: ms }) => (ms - assignedMs) / 1000, 2),
  );
  row(
    'records restored',
    seen(({ restoredRecords }) => restoredRecords, 0),
  );
  row(
    'partitions restored whole',
    seen(({ fullRestores }) => fullRestores, 0),
  );
  const times = (of: (way: Way) => number) => (of('without it') / of('over its folder')).toFixed(1);
  print(
    `\nWithout its folder: ${times(servingMs)} times as long until it serves, ${times(stateMs)} since tasks were given`,
  );
}

function load(): string {
  return loadavg()[0]!.toFixed(1);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}

function whole(value: number): string {
  return value.toLocaleString('en');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
