import type { TopicPartition } from '../log.ts';
import { createEncoder, isolation, protocolError, type ProtocolRequest } from './kafkajs.ts';
import { WireReader } from './wire-reader.ts';

export interface FetchedPartition {
  /** Offset behind the last record that any reader may see. */
  readonly lastStableOffset: number;
  /** Transactions among what was fetched that were aborted: their producer, and where they begin. */
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: number }[];
  /** Record batches, the last one maybe cut off. */
  readonly batches: Buffer;
}

/** Fetch, version 11: one partition from an offset, read committed. kafkajs' own decodes record by record. */
export function fetchRequest(
  { topic, partition }: TopicPartition,
  offset: number,
  maxBytes: number,
): ProtocolRequest<FetchedPartition> {
  return {
    request: {
      apiKey: 1,
      apiVersion: 11,
      apiName: 'Fetch',
      encode: async () =>
        createEncoder()
          .writeInt32(noReplica)
          .writeInt32(0) // Wait not at all: an empty answer is an answer.
          .writeInt32(0)
          .writeInt32(maxBytes)
          .writeInt8(isolation.readCommitted)
          .writeInt32(0) // No fetch session.
          .writeInt32(-1)
          .writeInt32(1)
          .writeString(topic)
          .writeInt32(1)
          .writeInt32(partition)
          .writeInt32(-1) // Leader epoch: not known.
          .writeInt64(offset)
          .writeInt64(-1)
          .writeInt32(maxBytes)
          .writeInt32(0) // Forgotten topics.
          .writeString(''), // Rack.
    },
    response: {
      decode: async (payload) => {
        const reader = new WireReader(payload);
        reader.skip(4); // Throttle time.
        fail(reader.int16());
        reader.skip(4); // Session.
        const [answer] = reader.array(() => {
          reader.string();
          return reader.array(() => partitionOf(reader))[0];
        });
        if (answer === undefined) throw protocolError(unknownTopicOrPartition);
        return answer;
      },
      parse: async (answer) => answer,
    },
  };
}

const noReplica = -1;
const unknownTopicOrPartition = 3;

function partitionOf(reader: WireReader): FetchedPartition {
  reader.skip(4); // Partition.
  fail(reader.int16());
  reader.skip(8); // High watermark.
  const lastStableOffset = reader.int64();
  reader.skip(8); // Log start.
  const aborted = reader.array(() => ({ producerId: reader.bigint64(), firstOffset: reader.int64() }));
  reader.skip(4); // Preferred read replica.
  return { lastStableOffset, aborted, batches: reader.bytes() };
}

function fail(code: number): void {
  if (code !== 0) throw protocolError(code);
}
