import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import type { Log } from '../../log/index.ts';
import { shopTopics } from '../../processors/index.ts';
import { isMillraceError } from '../../schemas/index.ts';
import { groupCaughtUp } from '../../topology/distributed/caught-up.ts';
import { PeerProcess, processUsage, type Peer } from './peer.ts';

/** What the runs of all peers have in common: the broker with the filled topic `interactions`. */
export interface Course {
  readonly log: Log;
  readonly broker: { readonly address: string; readonly pid: number };
  readonly registryUrl: string;
  /** For the peers' folders. */
  readonly work: string;
  readonly partitions: number;
  readonly commitIntervalMs: number;
}

export interface Run {
  readonly settings: string;
  /** From the order to start until all is committed. */
  readonly seconds: number;
  /** User and system, of the peer's process in that time. */
  readonly cpuSeconds: number;
  readonly brokerCpuSeconds: number;
  readonly peakBytes: number;
  readonly folderBytes: number;
}

/** One peer over all of the topic, from an empty folder and with topics of its own, which are gone afterwards. */
export async function measure(
  course: Course,
  peer: Peer,
  { applicationId, dump }: { readonly applicationId: string; readonly dump?: string | undefined },
): Promise<Run> {
  const { log, broker, registryUrl, work, partitions, commitIntervalMs } = course;
  const folder = join(work, applicationId);
  await mkdir(folder);
  await log.createTopics(outputs.map((name) => ({ name, partitions })));
  // The broker makes the topics of groups and transactions when it is first asked for one: nobody is to wait for that, and
  // @kafkats/flow waits 10 s.
  await log.committedOffsets(applicationId, [{ topic: shopTopics.interactions, partition: 0 }]);
  await log.openProducer(applicationId);
  const run = { brokers: broker.address, registryUrl, applicationId, folder, partitions, commitIntervalMs };
  try {
    await using opened = await PeerProcess.open(peer, run);
    const before = { ...opened.usage(), broker: processUsage(broker.pid).cpuSeconds };
    const begun = performance.now();
    await opened.start();
    await Promise.race([caughtUp(course, applicationId), opened.ended()]);
    const seconds = (performance.now() - begun) / 1000;
    const { cpuSeconds, peakBytes } = opened.usage();
    const brokerCpuSeconds = processUsage(broker.pid).cpuSeconds - before.broker;
    if (dump !== undefined) await opened.dump(dump);
    const folderBytes = await bytesOf(folder);
    const { settings } = opened;
    return { settings, seconds, cpuSeconds: cpuSeconds - before.cpuSeconds, brokerCpuSeconds, peakBytes, folderBytes };
  } finally {
    await removeTopics(broker.address);
    await rm(folder, { recursive: true, force: true });
  }
}

const outputs = Object.values(shopTopics).filter((topic) => topic !== shopTopics.interactions);

/** The source, then the clean events, then all that the tasks send each other: three hops at most. */
async function caughtUp({ log, partitions }: Course, group: string): Promise<void> {
  const until = async (topics: readonly string[]) => {
    const all = topics.flatMap((topic) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
    for (;;) {
      try {
        return await groupCaughtUp({ log, group, stages: [all], isStopped: () => false });
      } catch (error) {
        // Kafka Streams removes what it has processed from the topics between its tasks, while they are looked at.
        if (!isMillraceError(error, 'OFFSET_OUT_OF_RANGE')) throw error;
      }
    }
  };
  await until([shopTopics.interactions]);
  await until([shopTopics.clean]);
  const between = (await log.topics()).map(({ name }) => name).filter((name) => name.endsWith('-repartition'));
  for (let hop = 0; hop < 3; hop++) await until(between);
}

/** All but the input, of whatever name. */
async function removeTopics(broker: string): Promise<void> {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const all = await admin.listTopics();
    await admin.deleteTopics({
      topics: all.filter((name) => name !== shopTopics.interactions && !name.startsWith('__')),
    });
  } finally {
    await admin.disconnect();
  }
}

async function bytesOf(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  // A database replaces files while it is looked at.
  const size = (path: string) =>
    stat(path).then(
      (found) => found.size,
      () => 0,
    );
  const sizes = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => size(join(file.parentPath, file.name))),
  );
  return sizes.reduce((sum, each) => sum + each, 0);
}
