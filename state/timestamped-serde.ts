import type { Serde } from '../schemas/serde.ts';
import { readInt64, writeInt64 } from './key-codecs.ts';
import type { ValueAndTimestamp } from './store.ts';

/**
 * A value with the timestamp of the record it came from, laid out as in KIP-258:
 *
 *     | timestamp i64 | value |
 *
 * but with the sign bit flipped, as all our 64-bit integers are.
 */
export function timestampedSerde<V>(serde: Serde<V>): Serde<ValueAndTimestamp<V>> {
  const { prepare, sizeOf } = serde;
  return {
    name: `timestamped(${serde.name})`,
    serialize({ value, timestamp }) {
      const encoded = serde.serialize(value);
      const bytes = Buffer.allocUnsafe(timestampBytes + encoded.length);
      writeInt64(bytes, 0, timestamp);
      bytes.set(encoded, timestampBytes);
      return bytes;
    },
    deserialize: (bytes) => ({
      timestamp: readInt64(bytes, 0),
      value: serde.deserialize(bytes.subarray(timestampBytes)),
    }),
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
