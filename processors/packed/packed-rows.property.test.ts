import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mix32 } from '../hash/murmur3.ts';
import { Chunk, chunkSerde, stride } from './chunk.ts';
import { chunkKey, chunkKeySerde, rowMax, rowOfChunkKey, chunkOfChunkKey } from './chunk-key.ts';
import { HeapStore } from './heap-store.ts';
import { chunkOf, chunkToSplit } from './linear-hashing.ts';
import { PackedRows, type PackedRow } from './packed-rows.ts';

type Addition = readonly [row: number, neighbour: number, weight: number, count: number];

const hashOf = (neighbour: number) => mix32(neighbour);

async function apply(store: HeapStore<number, Chunk>, batch: readonly Addition[]): Promise<void> {
  store.evict();
  const rows = new PackedRows(store, { hashOf, entriesPerChunk: 4 });
  rows.begin();
  const opened = new Map<number, PackedRow>();
  for (const [row] of batch) if (!opened.has(row)) opened.set(row, rows.open(row));
  await rows.loadHeads();
  for (const [row, neighbour] of batch) opened.get(row)!.want(hashOf(neighbour));
  await rows.loadChunks();
  for (const [row, neighbour, weight, count] of batch) {
    opened.get(row)!.add(neighbour, hashOf(neighbour), weight, count);
  }
}

function contents(store: HeapStore<number, Chunk>): Map<string, readonly [number, number]> {
  const found = new Map<string, readonly [number, number]>();
  const heads = new Map([...store.entries()].map(([key, chunk]) => [key / 2 ** 20, chunk]));
  for (const [key, chunk] of store.entries()) {
    const head = heads.get(rowOfChunkKey(key))!;
    for (let i = 0; i < chunk.size; i += 1) {
      const neighbour = chunk.words[i * stride]!;
      expect(chunkOf(hashOf(neighbour), head.chunks)).toBe(chunkOfChunkKey(key));
      if (i > 0) expect(chunk.words[(i - 1) * stride]!).toBeLessThan(neighbour);
      found.set(`${rowOfChunkKey(key)}:${neighbour}`, [chunk.words[i * stride + 1]!, chunk.words[i * stride + 2]!]);
    }
  }
  return found;
}

describe('packed rows', () => {
  it('hold what a Map would hold, however the batches are cut', async () => {
    const addition = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.nat(200), fc.nat(1_000), fc.nat(1));
    const batches = fc.array(fc.array(addition, { maxLength: 80, size: 'max' }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(batches, async (cut) => {
        const store = new HeapStore<number, Chunk>('pairs');
        const expected = new Map<string, readonly [number, number]>();
        for (const batch of cut) {
          await apply(store, batch);
          for (const [row, neighbour, weight, count] of batch) {
            const before = expected.get(`${row}:${neighbour}`) ?? [0, 0];
            expected.set(`${row}:${neighbour}`, [before[0] + weight, before[1] + count]);
          }
        }
        expect(contents(store)).toEqual(expected);
        for (const [key, chunk] of store.entries()) {
          if (chunkOfChunkKey(key) !== 0) continue;
          const inRow = [...expected.keys()].filter((entry) => entry.startsWith(`${rowOfChunkKey(key)}:`)).length;
          expect(chunk.entries).toBe(inRow);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('refuse a weight beyond u32 and name the entry', async () => {
    const store = new HeapStore<number, Chunk>('pairs');
    await apply(store, [[1, 7, 0xffffffff, 1]]);
    await expect(apply(store, [[1, 7, 1, 0]])).rejects.toThrow(
      "A weight in store 'pairs' wants at most 4294967295, found 4294967296 for entry 7 of row 1",
    );
  });

  it('come back from their bytes, also out of the middle of a buffer', () => {
    const words = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { maxLength: 200, size: 'max' });
    fc.assert(
      fc.property(words, fc.nat(), fc.nat(), (entries, total, chunks) => {
        const chunk = new Chunk();
        for (const entry of entries) chunk.append(...entry);
        chunk.entries = total;
        chunk.chunks = chunks;
        const bytes = chunkSerde.serialize(chunk);
        const buffer = new Uint8Array(bytes.length + 3);
        buffer.set(bytes, 1);
        const again = chunkSerde.deserialize(buffer.subarray(1, 1 + bytes.length));
        expect(again.toJSON()).toEqual(chunk.toJSON());
        expect(chunkSerde.serialize(again)).toEqual(bytes);
      }),
    );
  });
});

it('a chunk key keeps row and chunk, and its bytes keep their order', () => {
  const key = fc.tuple(fc.integer({ min: 0, max: rowMax }), fc.nat(2 ** 20 - 1));
  fc.assert(
    fc.property(key, key, ([rowA, chunkA], [rowB, chunkB]) => {
      const a = chunkKey(rowA, chunkA);
      const b = chunkKey(rowB, chunkB);
      expect([rowOfChunkKey(a), chunkOfChunkKey(a)]).toEqual([rowA, chunkA]);
      expect(chunkKeySerde.deserialize(chunkKeySerde.serialize(a))).toBe(a);
      const order = Buffer.compare(chunkKeySerde.serialize(a), chunkKeySerde.serialize(b));
      expect(order).toBe(Math.sign(a - b));
    }),
  );
});

it('one more chunk takes entries from the chunk that is split, and from no other', () => {
  for (let chunks = 1; chunks < 70; chunks += 1) {
    for (let hash = 0; hash < 1_000; hash += 1) {
      const before = chunkOf(mix32(hash), chunks);
      const after = chunkOf(mix32(hash), chunks + 1);
      expect(after === before || (after === chunks && before === chunkToSplit(chunks))).toBe(true);
      expect(before).toBeLessThan(chunks);
    }
  }
});
