import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AssignerProtocol,
  Kafka,
  logLevel,
  type Admin,
  type PartitionAssigner,
  type Consumer,
  type Producer,
} from 'kafkajs';
import { startKafka } from './broker.ts';
import { createRawCluster, type RawBroker, type RawPartition } from './raw-cluster.ts';

/**
 * What kafkajs 2.2.4 does on a real broker in every case the log port has, printed as a table. docs/decisions/005 keeps
 * the answers and what followed from them.
 *
 *     npx tsx scripts/kafka/probe.ts
 */
interface Case {
  readonly name: string;
  readonly consequence: string;
  /** What was seen; throws when the case can't be done. */
  run(context: Context): Promise<string>;
}

interface Context {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly raw: RawBroker;
  topic(partitions?: number, config?: Record<string, string>): Promise<string>;
}

const readUncommitted = 0;
const readCommitted = 1;
const tries = { initialRetryTime: 20, retries: 8 };

const cases: Case[] = [
  {
    name: 'request versions',
    consequence: 'kafkajs and this broker still share a version of every request the port needs',
    run: async ({ raw }) => {
      const spoken: Record<string, [number, number]> = {
        ...{ Produce: [0, 7], Fetch: [1, 11], ListOffsets: [2, 3], OffsetCommit: [8, 5], OffsetFetch: [9, 4] },
        ...{ JoinGroup: [11, 5], SyncGroup: [14, 3], CreateTopics: [19, 3], DeleteRecords: [21, 1] },
        ...{ InitProducerId: [22, 1], AddPartitionsToTxn: [24, 1], EndTxn: [26, 1], TxnOffsetCommit: [28, 1] },
      };
      return Object.entries(spoken)
        .map(([name, [key, most]]) => {
          const range = raw.versions[key];
          const used = Math.min(most, range?.maxVersion ?? -1);
          if (range === undefined || used < range.minVersion) return `${name} NONE IN COMMON`;
          return `${name} v${used} (broker ${range.minVersion}-${range.maxVersion})`;
        })
        .join(', ');
    },
  },
  {
    name: 'createTopics, exists with another partition count',
    consequence: 'the adapter must compare partition counts itself after creating',
    run: async ({ admin, topic }) => {
      const name = await topic(2);
      const again = await admin.createTopics({ topics: [{ topic: name, numPartitions: 3 }] });
      const found = (await admin.fetchTopicMetadata({ topics: [name] })).topics[0]?.partitions.length;
      return `createTopics returned ${again} and threw nothing; the topic still has ${found} partitions`;
    },
  },
  {
    name: 'unknown topic and partition',
    consequence:
      'check partitions against metadata before sending: kafkajs acknowledges a record for a partition that does not exist and drops it',
    run: async ({ kafka, admin, topic }) => {
      const name = await topic(1);
      const producer = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 1, initialRetryTime: 20 } });
      await producer.connect();
      const unknown = await outcome(producer.send({ topic: `no-${name}`, messages: [{ value: 'x' }] }));
      const beyond = await outcome(producer.send({ topic: name, messages: [{ value: 'x', partition: 7 }] }));
      const high = (await admin.fetchTopicOffsets(name))[0]?.high;
      await producer.disconnect();
      return `topic: ${unknown}; partition 7 of 1: ${beyond}, and the record is nowhere (high watermark ${high})`;
    },
  },
  {
    name: 'produce, offset returned',
    consequence: 'ProduceResult.baseOffset as it is; one call per partition, so that the answer is one batch',
    run: async ({ kafka, topic }) =>
      withProducer(kafka, {}, async (producer) => {
        const name = await topic();
        const answers = [];
        for (let i = 0; i < 2; i++) {
          answers.push(...(await producer.send({ topic: name, acks: -1, messages: messages(0, 'a', 'b', 'c') })));
        }
        return answers.map((a) => `baseOffset ${a.baseOffset}`).join(', ');
      }),
  },
  {
    name: 'concurrent sends to one partition, plain producer',
    consequence: 'the order of concurrent calls is not kept',
    run: async ({ kafka, topic }) =>
      withProducer(kafka, {}, async (producer) => {
        const name = await topic();
        const sends = Array.from({ length: 20 }, (_, i) =>
          producer.send({ topic: name, messages: messages(0, `${i}`) }),
        );
        const offsets = (await Promise.all(sends)).map(([a]) => Number(a?.baseOffset));
        return offsets.every((offset, i) => offset === i) ? 'in the order of the calls' : `order ${offsets.join(' ')}`;
      }),
  },
  {
    name: 'concurrent sends to one partition, idempotent producer',
    consequence: 'the adapter keeps one send a partition in flight and queues the rest',
    run: async ({ kafka, topic }) =>
      withProducer(kafka, { idempotent: true }, async (producer) => {
        const name = await topic();
        const sends = Array.from({ length: 20 }, (_, i) =>
          producer.send({ topic: name, messages: messages(0, `${i}`) }),
        );
        const offsets = (await Promise.all(sends)).map(([a]) => Number(a?.baseOffset));
        return offsets.every((offset, i) => offset === i) ? 'in the order of the calls' : `order ${offsets.join(' ')}`;
      }),
  },
  {
    name: 'one send of many records',
    consequence:
      'its grouping copies the list once a record: send at most some hundred records at a time, or through broker.produce',
    run: async ({ kafka, topic }) =>
      withProducer(kafka, {}, async (producer) => {
        const name = await topic();
        const times = [];
        for (const count of [1000, 1000, 4000, 16_000]) {
          const many = messages(0, ...Array.from({ length: count }, () => 'x'));
          const start = performance.now();
          await producer.send({ topic: name, messages: many });
          times.push(`${count}: ${Math.round(performance.now() - start)} ms`);
        }
        return times.join(', ');
      }),
  },
  {
    name: 'headers, null key, tombstone, empty value',
    consequence:
      'headers are a map in kafkajs: order among different keys is lost, so the port promises it per key only',
    run: async ({ kafka, raw, topic }) =>
      withProducer(kafka, {}, async (producer) => {
        const name = await topic();
        const headers = { b: ['1', '2'], a: Buffer.from([0]) };
        await producer.send({ topic: name, messages: [{ key: null, value: null, headers, partition: 0 }] });
        await producer.send({ topic: name, messages: [{ key: '', value: '', timestamp: '5', partition: 0 }] });
        const [first, second] = (await fetchAt(raw, name, 0)).messages as unknown as {
          key: Buffer | null;
          value: Buffer | null;
          headers: Record<string, unknown>;
          timestamp: string;
        }[];
        const show = (value: unknown) => JSON.stringify(value, (_, v) => (v?.type === 'Buffer' ? `<${v.data}>` : v));
        return `key ${show(first?.key)}, value ${show(first?.value)}, headers ${show(first?.headers)}; empty key ${show(second?.key)}, empty value ${show(second?.value)}, timestamp ${second?.timestamp}`;
      }),
  },
  {
    name: "record above the broker's limit",
    consequence: 'the adapter checks maxRecordBytes before sending, to give both numbers',
    run: async ({ kafka, topic }) =>
      withProducer(kafka, {}, async (producer) => {
        const value = Buffer.alloc(2 << 20);
        return outcome(producer.send({ topic: await topic(), messages: [{ value, partition: 0 }] }));
      }),
  },
  {
    name: 'idempotent producer',
    consequence:
      "sequences are the producer's own and begin anew with every producer: they protect retries, not restarts",
    run: async ({ kafka, raw, topic }) => {
      const name = await topic();
      for (let life = 0; life < 2; life++) {
        await withProducer(kafka, { idempotent: true, maxInFlightRequests: 1 }, (producer) =>
          producer.send({ topic: name, messages: messages(0, `life ${life}`) }),
        );
      }
      const ids = (await fetchAt(raw, name, 0)).messages.map((m) => m.batchContext.producerId);
      return `${ids.length} records, producer ids ${ids.join(', ')}: another id after a restart`;
    },
  },
  {
    name: 'producer sequences given by us, through broker.produce',
    consequence:
      'ProduceOptions.producer can be served below the producer; its id has to be one that InitProducerId gave',
    run: async ({ raw, topic }) => {
      const name = await topic();
      const { producerId, producerEpoch } = await raw.initProducerId({ transactionTimeout: 10_000 });
      const send = (firstSequence: number, epoch = producerEpoch) =>
        raw
          .produce({
            producerId,
            producerEpoch: epoch,
            topicData: [
              { topic: name, partitions: [{ partition: 0, firstSequence, messages: [{ value: Buffer.from('x') }] }] },
            ],
          })
          .then(
            (answer) => `offset ${answer.topics[0]?.partitions[0]?.baseOffset}`,
            (error: Error & { type?: string }) => error.type ?? error.message,
          );
      return `seq 0: ${await send(0)}; seq 0 again: ${await send(0)}; seq 1: ${await send(1)}; seq 5: ${await send(5)}; epoch 1 seq 0: ${await send(0, producerEpoch + 1)}; old epoch: ${await send(2)}`;
    },
  },
  {
    name: 'fetch at an offset, through the broker',
    consequence: 'works; records before the offset come with their batch and have to be dropped',
    run: async ({ kafka, raw, topic }) =>
      withProducer(kafka, {}, async (producer) => {
        const name = await topic();
        await producer.send({ topic: name, messages: messages(0, 'a', 'b', 'c', 'd') });
        const { messages: found, highWatermark } = await fetchAt(raw, name, 2);
        return `asked for 2, got ${offsetsOf(found)}, high watermark ${highWatermark}`;
      }),
  },
  {
    name: 'fetch with maxBytes below the first batch',
    consequence: 'at least one batch always comes, whole: limits are applied after decoding',
    run: async ({ kafka, raw, topic }) =>
      withProducer(kafka, {}, async (producer) => {
        const name = await topic();
        await producer.send({ topic: name, messages: messages(0, 'a', 'b', 'c') });
        await producer.send({ topic: name, messages: messages(0, 'd') });
        return `maxBytes 1: got ${offsetsOf((await fetchAt(raw, name, 0, { maxBytes: 1 })).messages)}`;
      }),
  },
  {
    name: 'fetch above the end, and below the start after deleteRecords',
    consequence: 'fetch says OFFSET_OUT_OF_RANGE; before deleting, the admin has to load the topic',
    run: async ({ kafka, admin, raw, topic }) =>
      withProducer(kafka, {}, async (producer) => {
        const name = await topic();
        await producer.send({ topic: name, messages: messages(0, 'a', 'b', 'c') });
        const above = await outcome(fetchAt(raw, name, 4));
        const at = (await fetchAt(raw, name, 3)).messages.length;
        const partitions = [{ partition: 0, offset: '2' }];
        const fresh = kafka.admin();
        await fresh.connect();
        const unprepared = await outcome(fresh.deleteTopicRecords({ topic: name, partitions }));
        await fresh.disconnect();
        await admin.fetchTopicOffsets(name);
        await admin.deleteTopicRecords({ topic: name, partitions });
        const low = (await admin.fetchTopicOffsets(name))[0]?.low;
        return `at the end: ${at} records; above: ${above}; deleteTopicRecords of an admin that has not used the topic: ${unprepared}; again after fetchTopicOffsets: low is ${low}; below: ${await outcome(fetchAt(raw, name, 1))}`;
      }),
  },
  {
    name: 'deleteRecords above the end',
    consequence: 'map it to OFFSET_OUT_OF_RANGE',
    run: async ({ admin, topic }) => {
      const name = await topic();
      await admin.fetchTopicOffsets(name);
      return outcome(admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: '9' }] }));
    },
  },
  {
    name: 'kafkajs consumer at an offset out of range',
    consequence: 'never read through the consumer: it jumps silently to its default offset',
    run: async ({ kafka, admin, topic }) => {
      const name = await topic();
      await withProducer(kafka, {}, (producer) =>
        producer.send({ topic: name, messages: messages(0, 'a', 'b', 'c', 'd') }),
      );
      await admin.fetchTopicOffsets(name);
      await admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: '2' }] });
      const groupId = `g-${name}`;
      await admin.setOffsets({ groupId, topic: name, partitions: [{ partition: 0, offset: '1' }] });
      const seen: string[] = [];
      await withConsumer(kafka, groupId, async (consumer) => {
        await consumer.subscribe({ topics: [name], fromBeginning: false });
        await consumer.run({ eachMessage: async ({ message }) => void seen.push(message.offset) });
        await sleep(1500);
        await withProducer(kafka, {}, (producer) => producer.send({ topic: name, messages: messages(0, 'e') }));
        await sleep(1500);
      });
      return `committed 1, log start 2, records 2 to 4: eachMessage saw ${seen.join(', ') || 'nothing'}, no error`;
    },
  },
  {
    name: 'kafkajs consumer whose committed offset lies above the end',
    consequence: 'never let it fetch: it overwrites the committed offset with -2 (earliest) and reads everything again',
    run: async ({ kafka, admin, topic }) => {
      const name = await topic();
      const groupId = `g-${name}`;
      await withProducer(kafka, {}, (producer) => producer.send({ topic: name, messages: messages(0, 'a', 'b') }));
      await admin.setOffsets({ groupId, topic: name, partitions: [{ partition: 0, offset: '7' }] });
      const seen: string[] = [];
      await withConsumer(kafka, groupId, async (consumer) => {
        await consumer.subscribe({ topics: [name], fromBeginning: true });
        await consumer.run({ autoCommit: false, eachMessage: async ({ message }) => void seen.push(message.offset) });
        await sleep(2500);
      });
      const after = (await admin.fetchOffsets({ groupId, topics: [name] }))[0]?.partitions[0]?.offset;
      return `committed 7, end 2: eachMessage saw ${seen.join(', ') || 'nothing'}; committed is ${after} now, with autoCommit off`;
    },
  },
  {
    name: 'listOffsets earliest, latest, by timestamp',
    consequence:
      "as the port says; by timestamp beyond the last kafkajs' admin answers with the end, the broker with -1",
    run: async ({ kafka, admin, raw, topic }) =>
      withProducer(kafka, {}, async (producer) => {
        const name = await topic();
        const at = (time: number) => [{ value: `${time}`, timestamp: `${time}`, partition: 0 }];
        for (const time of [100, 300, 200, 500]) await producer.send({ topic: name, messages: at(time) });
        const [offsets] = await admin.fetchTopicOffsets(name);
        const byTime = [];
        for (const time of [0, 101, 200, 301, 501]) {
          const [found] = await admin.fetchTopicOffsetsByTimestamp(name, time);
          byTime.push(`${time}: ${found?.offset}`);
        }
        return `low ${offsets?.low}, high ${offsets?.high}; by time ${byTime.join(', ')}; raw at 501: ${await listAt(raw, name, 501)}`;
      }),
  },
  {
    name: 'latest while a transaction is open',
    consequence:
      '"latest" of the port is the last stable offset; the admin answers it, the broker by the isolation asked for',
    run: async ({ kafka, admin, raw, topic }) =>
      withProducer(kafka, transactional(), async (producer) => {
        const name = await topic();
        const transaction = await producer.transaction();
        await transaction.send({ topic: name, messages: messages(0, 'a', 'b') });
        const high = (await admin.fetchTopicOffsets(name))[0]?.high;
        const open = `admin ${high}, raw isolation 0: ${await listAt(raw, name, -1, readUncommitted)}, isolation 1: ${await listAt(raw, name, -1)}`;
        await transaction.commit();
        await sleep(200);
        return `${open}; after commit isolation 1: ${await listAt(raw, name, -1)} (2 records, 1 control record)`;
      }),
  },
  {
    name: 'transaction commit: control records in a fetch',
    consequence: 'nextOffset is behind the control record, which read hides: offsets are not dense',
    run: async ({ kafka, raw, topic }) =>
      withProducer(kafka, transactional(), async (producer) => {
        const name = await topic();
        const transaction = await producer.transaction();
        await transaction.send({ topic: name, messages: messages(0, 'a', 'b') });
        const before = (await fetchAt(raw, name, 0)).messages.length;
        await transaction.commit();
        await sleep(200);
        const { messages: found } = await fetchAt(raw, name, 0);
        return `before commit ${before} records; then ${found.map((m) => `${m.offset}${m.isControlRecord ? ' (control)' : ''}`).join(', ')}`;
      }),
  },
  {
    name: 'transaction abort: aborted records in a read-committed fetch',
    consequence: 'the reader drops them itself by abortedTransactions, per producer id, up to its abort marker',
    run: async ({ kafka, raw, topic }) => {
      const name = await topic();
      await withProducer(kafka, transactional(), async (producer) => {
        const aborted = await producer.transaction();
        await aborted.send({ topic: name, messages: messages(0, 'aborted') });
        await aborted.abort();
        const kept = await producer.transaction();
        await kept.send({ topic: name, messages: messages(0, 'kept') });
        await kept.commit();
      });
      await sleep(200);
      const answer = await fetchAt(raw, name, 0);
      const shown = answer.messages.map(
        (m) => `${m.offset} ${m.isControlRecord ? 'control' : `'${m.value?.toString()}'`}`,
      );
      return `fetch gives ${shown.join(', ')} with ${answer.abortedTransactions.length} aborted transaction`;
    },
  },
  {
    name: 'aborted record whose key is 00 00 00 00',
    consequence: "kafkajs' own filter is not to be used: it takes any record with that key for an abort marker",
    run: async ({ kafka, topic }) => {
      const seenWith = async (key: Buffer): Promise<string> => {
        const name = await topic();
        await withProducer(kafka, transactional(), async (producer) => {
          const aborted = await producer.transaction();
          const first = { key, value: 'aborted 1', partition: 0 };
          await aborted.send({ topic: name, messages: [first, ...messages(0, 'aborted 2')] });
          await aborted.abort();
        });
        const seen: string[] = [];
        await withConsumer(kafka, `g-${name}`, async (consumer) => {
          await consumer.subscribe({ topics: [name], fromBeginning: true });
          await consumer.run({ eachMessage: async ({ message }) => void seen.push(`${message.value?.toString()}`) });
          await sleep(2000);
        });
        return seen.join(', ') || 'nothing';
      };
      const another = await seenWith(Buffer.from('key'));
      return `a read-committed kafkajs consumer was given ${await seenWith(Buffer.alloc(4))}; with another key: ${another}`;
    },
  },
  {
    name: 'fencing by transactional id',
    consequence:
      'maps to PRODUCER_FENCED; beginTransaction has to reach the broker: connect() alone does not initialise the id, the first transaction() does',
    run: async ({ kafka, raw, topic }) => {
      const name = await topic();
      const options = transactional();
      const seen: string[] = [];
      await withProducer(kafka, options, async (older) => {
        const transaction = await older.transaction();
        const send = (value: string) => outcome(transaction.send({ topic: name, messages: messages(0, value) }));
        await send('older');
        await withProducer(kafka, options, async (newer) => {
          seen.push(`newer connected, older sends: ${await send('more')}`);
          const next = await newer.transaction();
          seen.push(`newer began, older sends: ${await send('fenced')}`);
          seen.push(`older commits: ${await outcome(transaction.commit())}`);
          await next.send({ topic: name, messages: messages(0, 'newer') });
          seen.push(`newer commits: ${await outcome(next.commit())}`);
        });
      });
      await sleep(200);
      const shown = (await fetchAt(raw, name, 0)).messages
        .filter((m) => !m.isControlRecord)
        .map((m) => m.value?.toString());
      return `${seen.join('; ')}; fetch gives ${shown.join(', ')}`;
    },
  },
  {
    name: 'two transactions one after the other, at once',
    consequence: 'beginning before the markers are written is retried inside kafkajs with our initialRetryTime',
    run: async ({ kafka, topic }) =>
      withProducer(kafka, transactional(), async (producer) => {
        const name = await topic();
        const start = performance.now();
        for (let i = 0; i < 20; i++) {
          const transaction = await producer.transaction();
          await transaction.send({ topic: name, messages: messages(0, `${i}`) });
          await transaction.commit();
        }
        return `20 transactions, ${Math.round((performance.now() - start) / 20)} ms each (retry begins at ${tries.initialRetryTime} ms)`;
      }),
  },
  {
    name: 'sendOffsets in a transaction',
    consequence: 'offsets become visible with the commit; commit alone without a send works too',
    run: async ({ kafka, admin, topic }) =>
      withProducer(kafka, transactional(), async (producer) => {
        const name = await topic();
        const consumerGroupId = `g-${name}`;
        const committed = async () =>
          (await admin.fetchOffsets({ groupId: consumerGroupId, topics: [name] }))[0]?.partitions[0]?.offset;
        const transaction = await producer.transaction();
        const topics = [{ topic: name, partitions: [{ partition: 0, offset: '5' }] }];
        await transaction.sendOffsets({ consumerGroupId, topics });
        const before = await committed();
        await transaction.commit();
        const straight = await committed();
        await sleep(300);
        return `before commit ${before}; straight after commit ${straight}; 300 ms later ${await committed()}`;
      }),
  },
  {
    name: "offsets fetched while another's transaction is pending",
    consequence: "kafkajs can't ask for stable offsets: initialise the transactional id first, then fetch",
    run: async ({ kafka, admin, topic }) => {
      const name = await topic();
      const consumerGroupId = `g-${name}`;
      const options = transactional();
      const committed = async () =>
        (await admin.fetchOffsets({ groupId: consumerGroupId, topics: [name] }))[0]?.partitions[0]?.offset;
      await admin.setOffsets({ groupId: consumerGroupId, topic: name, partitions: [{ partition: 0, offset: '1' }] });
      return withProducer(kafka, options, async (producer) => {
        const transaction = await producer.transaction();
        const topics = [{ topic: name, partitions: [{ partition: 0, offset: '5' }] }];
        await transaction.sendOffsets({ consumerGroupId, topics });
        const pending = await committed();
        return withProducer(kafka, options, async (another) => {
          await another.transaction();
          const now = await committed();
          const late = await outcome(transaction.commit());
          return `pending: old value ${pending}, no error; another takes the id: ${now}, and the pending commit gets ${late}`;
        });
      });
    },
  },
  {
    name: 'group of two, own assigner with user data',
    consequence:
      'works: eager, everything is revoked at a rebalance; kafkajs tells of it by events, it has no revocation callback to await',
    run: async ({ kafka, admin, topic }) => {
      const name = await topic(4);
      const groupId = `g-${name}`;
      const log: string[] = [];
      const join = async (id: string): Promise<Consumer> => {
        const consumer = kafka.consumer({ groupId, partitionAssigners: [assigner(id, log)], ...fast });
        consumer.on('consumer.group_join', ({ payload }) => {
          log.push(`${id} has [${payload.memberAssignment[name] ?? []}]`);
        });
        consumer.on('consumer.rebalancing', () => log.push(`${id} rebalancing`));
        await consumer.connect();
        await consumer.subscribe({ topics: [name], fromBeginning: true });
        await consumer.run({ eachBatch: async () => undefined });
        return consumer;
      };
      const first = await join('a');
      await sleep(1500);
      const second = await join('b');
      await sleep(3000);
      const described = (await admin.describeGroups([groupId])).groups[0]?.members.map((member) =>
        AssignerProtocol.MemberMetadata.decode(member.memberMetadata)?.userData.toString(),
      );
      await second.disconnect();
      await sleep(2500);
      await first.disconnect();
      return `${log.join(', ')}; describeGroups shows user data ${described?.join(' and ')}`;
    },
  },
  {
    name: 'offset commit and fetch outside a transaction',
    consequence:
      'committedOffsets: -1 means none; commitOffsets through the consumer, which is fenced by its generation',
    run: async ({ kafka, admin, topic }) => {
      const name = await topic(2);
      const groupId = `g-${name}`;
      const nine = Array.from({ length: 9 }, (_, i) => `${i}`);
      await withProducer(kafka, {}, (producer) => producer.send({ topic: name, messages: messages(1, ...nine) }));
      await withConsumer(kafka, groupId, async (consumer) => {
        await consumer.subscribe({ topics: [name], fromBeginning: true });
        const joined = new Promise((resolve) => consumer.on('consumer.group_join', resolve));
        await consumer.run({ autoCommit: false, eachBatch: async () => undefined });
        await joined;
        consumer.pause([{ topic: name }]);
        await consumer.commitOffsets([{ topic: name, partition: 1, offset: '7' }]);
      });
      const found = await admin.fetchOffsets({ groupId, topics: [name] });
      return `partitions ${JSON.stringify(found[0]?.partitions.map((p) => `${p.partition}: ${p.offset}`))}`;
    },
  },
  {
    name: 'group membership without reading',
    consequence: 'paused partitions keep the membership and its heartbeats, reading goes through the broker',
    run: async ({ kafka, topic }) => {
      const name = await topic(2);
      await withProducer(kafka, {}, (producer) => producer.send({ topic: name, messages: messages(0, 'a') }));
      let batches = 0;
      let heartbeats = 0;
      await withConsumer(kafka, `g-${name}`, async (consumer) => {
        consumer.on('consumer.heartbeat', () => heartbeats++);
        consumer.on('consumer.group_join', () => consumer.pause([{ topic: name }]));
        await consumer.subscribe({ topics: [name], fromBeginning: true });
        await consumer.run({ autoCommit: false, eachBatch: async () => void batches++ });
        await sleep(4000);
      });
      return `${batches} batches handed over, ${heartbeats} heartbeats in 4 s`;
    },
  },
  {
    name: 'compacted topic: a tail that was compacted away',
    consequence:
      'the last offset of a batch (first + lastOffsetDelta) gives nextOffset even when its last records are gone',
    run: async ({ kafka, raw, topic }) =>
      withProducer(kafka, {}, async (producer) => {
        const name = await topic(1, {
          ...{ 'cleanup.policy': 'compact', 'segment.ms': '100', 'min.cleanable.dirty.ratio': '0.001' },
          ...{ 'delete.retention.ms': '0', 'segment.bytes': '1048576' },
        });
        const pair = (key: string, value: string) => ({ key, value, partition: 0 });
        await producer.send({ topic: name, messages: [pair('a', '1'), pair('b', '1'), pair('c', '1')] });
        await producer.send({ topic: name, messages: [pair('b', '2'), pair('c', '2')] });
        await sleep(300);
        await producer.send({ topic: name, messages: [pair('z', '1')] });
        let found: RawPartition['messages'] = [];
        for (let i = 0; i < 60 && (found.length === 0 || found.length > 4); i++) {
          await sleep(500);
          found = (await fetchAt(raw, name, 0)).messages;
        }
        return `offsets left ${offsetsOf(found)}; first batch [${found[0]?.batchContext.firstOffset}, +${found[0]?.batchContext.lastOffsetDelta}]`;
      }),
  },
];

const fast = { sessionTimeout: 6000, heartbeatInterval: 500, rebalanceTimeout: 4000, maxWaitTimeInMs: 200 };

await using broker = await startKafka({
  overrides: { 'log.cleaner.backoff.ms': '500', 'log.initial.task.delay.ms': '500' },
});
await main();

async function main(): Promise<void> {
  const quiet = { logLevel: logLevel.NOTHING, retry: tries };
  const kafka = new Kafka({ clientId: 'probe', brokers: [broker.address], ...quiet });
  const admin = kafka.admin();
  await admin.connect();
  const cluster = createRawCluster(broker.address);
  await cluster.connect();
  await cluster.refreshMetadata();
  const raw = await cluster.findBroker({ nodeId: '1' });
  const topic = async (numPartitions = 1, config: Record<string, string> = {}): Promise<string> => {
    const name = `probe-${randomUUID().slice(0, 8)}`;
    const configEntries = Object.entries(config).map(([entry, value]) => ({ name: entry, value }));
    await admin.createTopics({ topics: [{ topic: name, numPartitions, configEntries }], waitForLeaders: false });
    for (let tries = 0; tries < 100; tries++) {
      const known = await admin.fetchTopicMetadata({ topics: [name] }).catch(() => undefined);
      if (known?.topics[0]?.partitions.every((partition) => partition.leader >= 0)) break;
      await sleep(100);
    }
    return name;
  };
  const only = process.argv[2];
  print(`Apache Kafka ${broker.version}, kafkajs 2.2.4, Node ${process.version}\n`);
  print('| case | result | consequence |\n|---|---|---|');
  for (const { name, run, consequence } of cases) {
    if (only !== undefined && !new RegExp(only).test(name)) continue;
    const late = sleep(60_000, undefined, { ref: false }).then(() => 'NOT WITHIN 60 s');
    const seen = await Promise.race([run({ kafka, admin, raw, topic }), late]).catch(
      (error: unknown) => `FAILED: ${describe(error)}`,
    );
    print(`| ${name} | ${seen} | ${consequence} |`);
  }
  await cluster.disconnect();
  await admin.disconnect();
}

/** Its id travels as user data, and it takes turns. */
function assigner(id: string, log: string[]): PartitionAssigner {
  return ({ cluster }) => ({
    name: 'millrace-probe',
    version: 1,
    protocol: ({ topics }) => ({
      name: 'millrace-probe',
      metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.from(`host-${id}`) }),
    }),
    assign: async ({ members, topics }) => {
      const sorted = members
        .map((member) => {
          const metadata = AssignerProtocol.MemberMetadata.decode(member.memberMetadata);
          return { memberId: member.memberId, data: metadata?.userData.toString() ?? '' };
        })
        .sort((x, y) => (x.data < y.data ? -1 : 1));
      log.push(`${id} leads ${sorted.map((member) => member.data).join('+')}`);
      return sorted.map(({ memberId }, i) => {
        const assignment = Object.fromEntries(
          topics.map((topic) => {
            const all = cluster.findTopicPartitionMetadata(topic).map((p) => p.partitionId);
            return [topic, all.toSorted((x, y) => x - y).filter((_, n) => n % sorted.length === i)];
          }),
        );
        return {
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: 1,
            assignment,
            userData: Buffer.alloc(0),
          }),
        };
      });
    },
  });
}

type ProducerOptions = NonNullable<Parameters<Kafka['producer']>[0]>;

function transactional(): ProducerOptions {
  return {
    idempotent: true,
    maxInFlightRequests: 1,
    transactionalId: `tx-${randomUUID()}`,
    transactionTimeout: 10_000,
  };
}

async function withProducer<T>(
  kafka: Kafka,
  options: ProducerOptions,
  use: (producer: Producer) => Promise<T>,
): Promise<T> {
  const producer = kafka.producer({ allowAutoTopicCreation: false, ...options });
  await producer.connect();
  try {
    return await use(producer);
  } finally {
    await producer.disconnect();
  }
}

async function withConsumer(kafka: Kafka, groupId: string, use: (consumer: Consumer) => Promise<void>): Promise<void> {
  const consumer = kafka.consumer({ groupId, ...fast });
  await consumer.connect();
  try {
    await use(consumer);
  } finally {
    await consumer.disconnect();
  }
}

function messages(partition: number, ...values: string[]) {
  return values.map((value) => ({ key: 'key', value, partition }));
}

async function fetchAt(
  raw: RawBroker,
  topic: string,
  offset: number,
  { isolationLevel = readCommitted, maxBytes = 1 << 20 } = {},
): Promise<RawPartition> {
  const partitions = [{ partition: 0, fetchOffset: `${offset}`, maxBytes }];
  const request = { isolationLevel, maxWaitTime: 200, minBytes: 1, maxBytes, topics: [{ topic, partitions }] };
  const answer = (await raw.fetch(request)).responses[0]?.partitions[0];
  if (answer === undefined) throw new Error('the fetch answered nothing for the partition');
  return answer;
}

async function listAt(
  raw: RawBroker,
  topic: string,
  timestamp: number,
  isolationLevel = readCommitted,
): Promise<string> {
  const answer = await raw.listOffsets({
    isolationLevel,
    topics: [{ topic, partitions: [{ partition: 0, timestamp }] }],
  });
  return answer.responses[0]?.partitions[0]?.offset ?? 'nothing';
}

function offsetsOf(found: RawPartition['messages']): string {
  return found.map((message) => message.offset).join(' ') || 'nothing';
}

async function outcome(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => describe(error),
  );
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const type = 'type' in error ? ` ${String(error.type)}` : '';
  if ('partitions' in error && Array.isArray(error.partitions)) {
    const causes = error.partitions as readonly { readonly error: Error }[];
    return `${error.name} (${causes.map((partition) => describe(partition.error)).join(', ')})`;
  }
  return `${error.name}${type} (${error.message.slice(0, 120)})`.replaceAll('|', '/');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
