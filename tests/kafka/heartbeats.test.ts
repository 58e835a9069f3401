import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { eventually, uniqueName } from '../../log/conformance/support.ts';
import { openKafkaLog, type Log } from '../../log/index.ts';
import { int64Serde, stringSerde } from '../../schemas/index.ts';
import { StreamsBuilder, type Topology } from '../../topology/index.ts';
import {
  allSent,
  expectedUpdates,
  Instance,
  partitions,
  produceLines,
} from '../../topology/distributed/word-counts.testing.ts';
import { startKafka } from '../../scripts/kafka/broker.ts';
import { describeWithKafka } from './real-kafka.ts';

const sessionTimeoutMs = 3000;

/** An instance is not given up while it is at work, whatever takes long. */
describeWithKafka('the membership of a busy instance', () => {
  it('survives a restore that takes longer than the session time-out', { timeout: 300_000 }, async () => {
    await using setup = await begin();
    const { log, applicationId } = setup;
    await produceLines(log, 0, 500);
    const before = await Instance.start(log, applicationId);
    await allSent(log, 500);
    await before[Symbol.asyncDispose]();

    await using own = await setup.open();
    let shared = 0;
    await using after = await Instance.start(
      slowToRead(own, '-counts-changelog', 2 * sessionTimeoutMs),
      applicationId,
      {
        onOwners: () => (shared += 1),
      },
    );
    expect(await eventually(() => after.runtime.tasks.running.length === 8)).toBe(true);
    expect(after.runtime.restores.some(({ full, records }) => full && records > 0)).toBe(true);
    // The group has shared out once, when it came.
    expect(shared).toBe(1);
    await produceLines(log, 500, 600);
    expect(await allSent(log, 600)).toEqual(expectedUpdates(600));
  });

  it(
    'survives batches that take longer than the session time-out, once their pace is known',
    { timeout: 300_000 },
    async () => {
      await using setup = await begin();
      const { log, applicationId } = setup;
      await using own = await setup.open();
      let shared = 0;
      // The hundred lines of a partition take 4 s, in one batch or in many.
      await using instance = await Instance.start(own, applicationId, {
        topology: slowWordCounts(40),
        onOwners: () => (shared += 1),
      });
      await produceLines(log, 0, 400);
      expect(await allSent(log, 400, 90_000)).toEqual(expectedUpdates(400));
      expect(shared).toBe(1);
      expect(instance.runtime.metrics.total('tasks-given-up')).toBe(0);
    },
  );

  it('is lost in a record that takes longer, and then nothing is counted twice', { timeout: 300_000 }, async () => {
    await using setup = await begin();
    const { log, applicationId } = setup;
    await using own = await setup.open();
    const stuck = { times: 1, ms: 3 * sessionTimeoutMs };
    await using instance = await Instance.start(own, applicationId, { topology: stuckWordCounts(stuck) });
    await produceLines(log, 0, 200);
    // Nobody else is there: it is given up, comes back, and does again what it could not commit.
    expect(await allSent(log, 200, 60_000)).toEqual(expectedUpdates(200));
    expect(stuck.times).toBe(0);
    expect(instance.runtime.failure).toBe(undefined);
  });
});

/** A broker of its own: the topics have the same names in every test. */
async function begin() {
  const broker = await startKafka({ overrides: { 'group.min.session.timeout.ms': '1000' } });
  const open = () => openKafkaLog({ brokers: [broker.address], heartbeatIntervalMs: 300, sessionTimeoutMs });
  const log = await open();
  await log.createTopics(['lines', 'counts'].map((name) => ({ name, partitions })));
  const dispose = async () => {
    await log[Symbol.asyncDispose]();
    await broker[Symbol.asyncDispose]();
  };
  return { log, open, applicationId: uniqueName('words'), [Symbol.asyncDispose]: dispose };
}

/** Reads of some topics wait. */
function slowToRead(log: Log, topicEnd: string, ms: number): Log {
  return new Proxy(log, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        const [of] = args as Parameters<Log['read']>;
        if (name === 'read' && of.topic.endsWith(topicEnd)) await sleep(ms);
        return await (member as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

/** Keeps the thread. */
function busy(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

function slowWordCounts(msPerLine: number): Topology {
  return wordCountsWith(() => busy(msPerLine));
}

function stuckWordCounts(stuck: { times: number; readonly ms: number }): Topology {
  return wordCountsWith(() => {
    if (stuck.times === 0) return;
    stuck.times -= 1;
    busy(stuck.ms);
  });
}

function wordCountsWith(work: () => void): Topology {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  builder
    .stream<string, string>('lines')
    .flatMapValues((line) => {
      work();
      return line.split(' ');
    })
    .groupBy((_, word) => word)
    .count({ name: 'count', store: 'counts' })
    .toStream()
    .to('counts', { keySerde: stringSerde, valueSerde: int64Serde });
  return builder.build();
}
