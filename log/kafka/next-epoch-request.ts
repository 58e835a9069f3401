import { createEncoder, protocolError, type Producer, type ProducerOf, type ProtocolRequest } from './kafkajs.ts';
import { WireReader } from './wire-reader.ts';

/**
 * InitProducerId, version 3: a new epoch for a producer that says which one it has (KIP-360). It is refused when another has taken
 * the id over meanwhile; the versions that kafkajs has would take it back. A flexible version (KIP-482): header and body end
 * with a count of tagged fields, here none, and strings have their length + 1 in front, as a varint.
 */
export function nextEpochRequest(
  { transactionalId, producerId, producerEpoch }: ProducerOf,
  transactionTimeoutMs: number,
): ProtocolRequest<Producer> {
  return {
    request: {
      apiKey: 22,
      apiVersion: 3,
      apiName: 'InitProducerId',
      encode: async () =>
        createEncoder()
          .writeInt8(noTags)
          .writeUVarIntString(transactionalId)
          .writeInt32(transactionTimeoutMs)
          .writeInt64(BigInt(producerId))
          .writeInt16(producerEpoch)
          .writeInt8(noTags),
    },
    response: {
      decode: async (payload) => {
        const reader = new WireReader(payload);
        reader.skip(1 + 4); // The header's tags, throttle time.
        const code = reader.int16();
        if (code === producerFenced) throw protocolError(invalidProducerEpoch);
        if (code !== 0) throw protocolError(code);
        return { producerId: String(reader.bigint64()), producerEpoch: reader.int16() };
      },
      parse: async (answer) => answer,
    },
  };
}

const noTags = 0;
/** Newer than kafkajs, which has no name for it: the same as the other. */
const producerFenced = 90;
const invalidProducerEpoch = 47;
