import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { compressionOf } from './compression.ts';
import type { Connections } from './connections.ts';
import type { deliver } from './delivery.ts';
import { IdempotentProducer } from './idempotent-producer.ts';

const options = { compression: compressionOf('none'), deliveryTimeoutMs: 1000, requestTimeoutMs: 1000 };
const partition = { topic: 't', partition: 0 };

test('a call does not overtake one for which the brokers had to be asked longer', async () => {
  let asked = 0;
  const connections = {
    // A connection is lost under the first question, the second finds a new one.
    checkPartition: async () => await sleep(asked++ === 0 ? 50 : 0),
    onAny: async () => ({ producerId: '1', producerEpoch: 0 }),
  } as unknown as Connections;
  const appended: string[] = [];
  const delivers: typeof deliver = async (_connections, _session, [part]) => {
    for (const { value } of part!.records) appended.push(Buffer.from(value!).toString());
    return [{ baseOffset: 0, endOffset: part!.records.length }];
  };
  const producer = new IdempotentProducer(connections, options, delivers);
  const calls = ['a', 'b', 'c'].map((text) =>
    producer.append(partition, [{ key: null, value: Buffer.from(text), timestamp: 0 }]),
  );
  await Promise.all(calls);
  expect(appended).toEqual(['a', 'b', 'c']);
});
