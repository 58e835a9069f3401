import { isDeepStrictEqual } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, readAll, record, uniqueName, valuesOf } from '../../log/conformance/support.ts';
import { openKafkaLog, type Log, type TopicPartition } from '../../log/index.ts';
import { startKafkaCluster, type KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { describeWithKafka } from './real-kafka.ts';

const partitions = 3;

/** Of three brokers one is lost: what leads from it to the others is the log's affair, not the caller's. */
describeWithKafka('on three brokers', () => {
  let cluster: KafkaCluster;
  let log: Log;
  beforeAll(async () => {
    // A broker that was not heard of for so long is given up by the controllers. Kafka's own 9 s only make the test slower.
    cluster = await startKafkaCluster({ brokers: 3, overrides: { 'broker.session.timeout.ms': '3000' } });
    log = await openKafkaLog({ brokers: cluster.addresses, heartbeatIntervalMs: 200 });
  }, 290_000);
  afterAll(async () => {
    await log?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  it('a topic has as many replicas as the brokers say, or as the log is told', async () => {
    await using told = await openKafkaLog({ brokers: cluster.addresses, replicationFactor: 1 });
    const [byBrokers, byLog] = [uniqueName('by-brokers'), uniqueName('by-log')];
    await log.createTopics([{ name: byBrokers, partitions }]);
    await told.createTopics([{ name: byLog, partitions }]);
    const replicas = async (topic: string) =>
      (await leadersOf(cluster.addresses, topic)).map(({ replicas: nodes }) => nodes.length);
    expect(await replicas(byBrokers)).toEqual([3, 3, 3]);
    expect(await replicas(byLog)).toEqual([1, 1, 1]);
  });

  it('appends, transactions, groups and reads go on when one is killed', { timeout: 180_000 }, async () => {
    const topic = uniqueName('facts');
    const group = uniqueName('group');
    await log.createTopics([{ name: topic, partitions }]);
    const all = Array.from({ length: partitions }, (_, partition): TopicPartition => ({ topic, partition }));
    let assigned: readonly TopicPartition[] = [];
    await using member = await log.joinGroup(group, [topic], {
      onAssigned: async (now) => void (assigned = [...assigned, ...now]),
      onRevoked: async () => undefined,
    });
    expect(await eventually(() => assigned.length === partitions)).toBe(true);
    const consumed = (offset: number) => all.map((of) => ({ ...of, offset }));

    const producer = await log.openProducer(uniqueName('tx'));
    const expected = new Map(all.map(({ partition }) => [partition, [] as string[]]));
    /** One plain append and one transaction with its offsets a round, to every partition. */
    const round = async (n: number) => {
      const transaction = producer.begin();
      for (const of of all) {
        await log.produce(of, [record(null, `plain ${n}`)]);
        transaction.send(of, [record(null, `in a transaction ${n}`)]);
        expected.get(of.partition)!.push(`plain ${n}`, `in a transaction ${n}`);
      }
      transaction.sendOffsets(`${group}-processed`, consumed(n));
      await transaction.commit();
      await member.commitOffsets(consumed(n));
    };
    /** A transaction has ended a moment before everybody sees that it has. */
    const areCommitted = async (n: number) =>
      await eventually(async () => {
        const offsets = await Promise.all([group, `${group}-processed`].map((of) => log.committedOffsets(of, all)));
        return offsets.flat().every((offset) => offset === n);
      });
    const areThere = (partition: TopicPartition) =>
      eventually(async () => {
        const values = valuesOf(await readAll(log, partition));
        return isDeepStrictEqual(values, expected.get(partition.partition));
      });
    for (let n = 1; n <= 20; n++) await round(n);

    // The leader of the first partition, while rounds are on their way.
    const [first] = await leadersOf(cluster.addresses, topic);
    const killed = cluster.nodes.find(({ id }) => id === first!.leader)!;
    const going = (async () => {
      for (let n = 21; n <= 60; n++) await round(n);
    })();
    await killed.stop('SIGKILL');
    await going;

    const left = await leadersOf(
      cluster.addresses.filter((address) => address !== killed.address),
      topic,
    );
    expect(left.map(({ leader: now }) => now)).not.toContain(killed.id);
    for (const of of all) expect(await areThere(of)).toBe(true);
    expect(await areCommitted(60)).toBe(true);

    await killed.start();
    await round(61);
    expect(await areCommitted(61)).toBe(true);
  });
});

/** Leader and replicas of each partition, by a client that is not ours. */
async function leadersOf(brokers: readonly string[], topic: string) {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]!.partitions.toSorted((a, b) => a.partitionId - b.partitionId);
  } finally {
    await admin.disconnect();
  }
}
