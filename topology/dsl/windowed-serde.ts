import { MillraceError, type Serde } from '../../schemas/index.ts';
import type { Windowed } from '../record.ts';

/**
 * Keys of a windowed table, as Kafka Streams' TimeWindowedSerializer lays them out:
 *
 *     | inner key | start i64 BE, ms |
 *
 * The size is not written: both sides know it.
 */
export function timeWindowedSerde<K>(inner: Serde<K>, sizeMs: number): Serde<Windowed<K>> {
  return {
    name: `time-windowed(${inner.name},${sizeMs})`,
    serialize({ key, window }) {
      const innerBytes = inner.serialize(key);
      const bytes = new Uint8Array(innerBytes.length + 8);
      bytes.set(innerBytes);
      new DataView(bytes.buffer).setBigInt64(innerBytes.length, BigInt(window.startMs));
      return bytes;
    },
    deserialize(bytes) {
      const length = bytes.length - 8;
      if (length < 0) {
        throw new MillraceError(
          'DESERIALIZATION_FAILED',
          `A windowed key wants at least 8 bytes, found ${bytes.length}`,
        );
      }
      const startMs = Number(new DataView(bytes.buffer, bytes.byteOffset + length, 8).getBigInt64(0));
      return { key: inner.deserialize(bytes.subarray(0, length)), window: { startMs, endMs: startMs + sizeMs } };
    },
  };
}
