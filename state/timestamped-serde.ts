import type { Serde } from '../schemas/serde.ts';
import type { ValueAndTimestamp } from './store.ts';

/**
 * A value with the timestamp of the record it came from, laid out as in KIP-258:
 *
 *     | timestamp i64, two's complement, big endian | value |
 *
 * The timestamp is a safe integer of ms; -1 stands for none, as in Kafka.
 */
export function timestampedSerde<V>(serde: Serde<V>): Serde<ValueAndTimestamp<V>> {
  const { prepare, sizeOf } = serde;
  return {
    name: `timestamped(${serde.name})`,
    serialize({ value, timestamp }) {
      const encoded = serde.serialize(value);
      const bytes = Buffer.allocUnsafe(timestampBytes + encoded.length);
      const high = Math.floor(timestamp / twoTo32);
      bytes.writeInt32BE(high, 0);
      bytes.writeUInt32BE(timestamp - high * twoTo32, 4);
      bytes.set(encoded, timestampBytes);
      return bytes;
    },
    deserialize(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, timestampBytes);
      return {
        timestamp: view.getInt32(0) * twoTo32 + view.getUint32(4),
        value: serde.deserialize(bytes.subarray(timestampBytes)),
      };
    },
    ...(prepare && {
      prepare: (payloads: readonly Uint8Array[]) =>
        prepare.call(
          serde,
          payloads.map((bytes) => bytes.subarray(timestampBytes)),
        ),
    }),
    ...(sizeOf && { sizeOf: ({ value }: ValueAndTimestamp<V>) => timestampBytes + sizeOf.call(serde, value) }),
  };
}

const timestampBytes = 8;
const twoTo32 = 0x1_0000_0000;
