import { createEncoder, protocolError, type ProtocolRequest } from './kafkajs.ts';
import { WireReader } from './wire-reader.ts';

/**
 * Metadata, version 12, of one topic: for its id (KIP-516), which the versions that kafkajs has lack. Another id means that the topic
 * was deleted and made anew. A flexible version (KIP-482): arrays and strings have their length + 1 in front, as a varint, and
 * structures end with a count of tagged fields.
 */
export function topicIdRequest(topic: string): ProtocolRequest<string> {
  return {
    request: {
      apiKey: 3,
      apiVersion: 12,
      apiName: 'Metadata',
      encode: async () =>
        createEncoder()
          .writeInt8(noTags) // Of the header.
          .writeInt8(1 + 1) // One topic:
          .writeInt64(0) // asked for by name, not
          .writeInt64(0) // by id.
          .writeUVarIntString(topic)
          .writeInt8(noTags)
          .writeInt8(0) // It is not to be created,
          .writeInt8(0) // and who may do what with it is not asked.
          .writeInt8(noTags),
    },
    response: {
      decode: async (payload) => {
        const reader = new WireReader(payload);
        reader.skip(1 + 4); // The header's tags, throttle time.
        reader.compactArray(() => {
          reader.skip(4); // Node id.
          reader.compactString(); // Host.
          reader.skip(4); // Port.
          reader.compactString(); // Rack.
          reader.skip(1); // Tags.
        });
        reader.compactString(); // Cluster id.
        reader.skip(4 + 1); // Controller; of the topics' array the length, one.
        const code = reader.int16();
        if (code !== 0) throw protocolError(code);
        reader.compactString(); // Its name.
        return reader.uuid();
      },
      parse: async (answer) => answer,
    },
  };
}

const noTags = 0;
