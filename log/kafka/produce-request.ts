import type { TopicPartition } from '../log.ts';
import { byTopic } from './by-topic.ts';
import { createEncoder, protocolError, type ProtocolRequest } from './kafkajs.ts';
import { WireReader } from './wire-reader.ts';

export interface PartitionBatch extends TopicPartition {
  /** A record batch (record-batch.ts). */
  readonly bytes: Uint8Array;
}

export interface PartitionAck extends TopicPartition {
  readonly baseOffset: number;
  readonly error: Error | undefined;
}

/**
 * Produce, version 7: any number of partitions of one leader, a record batch each, acknowledged by all in-sync replicas.
 * kafkajs' own takes messages instead of batches, and throws the first error for all partitions.
 */
export function produceRequest(
  batches: readonly PartitionBatch[],
  transactionalId: string | null,
  timeoutMs: number,
): ProtocolRequest<readonly PartitionAck[]> {
  return {
    request: {
      apiKey: 0,
      apiVersion: 7,
      apiName: 'Produce',
      encode: async () => {
        const out = createEncoder().writeString(transactionalId).writeInt16(allInSync).writeInt32(timeoutMs);
        const topics = byTopic(batches);
        out.writeInt32(topics.length);
        for (const { topic, partitions } of topics) {
          out.writeString(topic).writeInt32(partitions.length);
          for (const { partition, bytes } of partitions) {
            out.writeInt32(partition).writeBytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
          }
        }
        return out;
      },
    },
    response: {
      decode: async (payload) => {
        const reader = new WireReader(payload);
        return reader
          .array(() => {
            const topic = reader.string();
            return reader.array(() => {
              const partition = reader.int32();
              const code = reader.int16();
              const baseOffset = reader.int64();
              reader.skip(8 + 8); // Log append time, log start offset.
              return { topic, partition, baseOffset, error: code === 0 ? undefined : protocolError(code) };
            });
          })
          .flat();
      },
      parse: async (acks) => acks,
    },
  };
}

const allInSync = -1;
