import { MillraceError, type Serde } from '../../schemas/index.ts';

/**
 * The key of a chunk: `row · 2^20 + chunk`, a safe integer, so that a Map finds it without building a string.
 *
 *     | u64 BE: row (33 bits) chunk (20 bits) |
 *
 * Byte order is (row, chunk) order, so the chunks of a row lie together.
 */
export type ChunkKey = number;

export const chunksPerRowMax = 2 ** 20;
export const rowMax = 2 ** 33 - 1;

export function chunkKey(row: number, chunk: number): ChunkKey {
  return row * chunksPerRowMax + chunk;
}

export function rowOfChunkKey(key: ChunkKey): number {
  return Math.floor(key / chunksPerRowMax);
}

export function chunkOfChunkKey(key: ChunkKey): number {
  return key % chunksPerRowMax;
}

export const chunkKeySerde: Serde<ChunkKey> = {
  name: 'packed-chunk-key',
  serialize(key) {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, Math.floor(key / 2 ** 32));
    view.setUint32(4, key % 2 ** 32);
    return bytes;
  },
  deserialize(bytes) {
    if (bytes.length !== 8) {
      throw new MillraceError('DESERIALIZATION_FAILED', `A chunk key wants 8 bytes, found ${bytes.length}`, {
        found: bytes.length,
      });
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
    return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
  },
  sizeOf: () => 8,
};
