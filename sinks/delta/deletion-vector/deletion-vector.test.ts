import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalFolder } from '../index.ts';
import { temporaryFolders } from '../temporary-folder.testing.ts';
import { readDeletionVector, writeDeletionVectors } from './deletion-vector.ts';
import { fileOfSets, readRowSet, setInFile, writeRowSet } from './row-set.ts';
import { decodeZ85, encodeZ85 } from './z85.ts';

const newFolder = temporaryFolders();

/** Rows as they are met: few, many in one container, and far apart. */
const rowSets = fc
  .oneof(
    fc.uniqueArray(fc.integer({ min: 0, max: 200_000 }), { maxLength: 50 }),
    fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 34 }), { maxLength: 20 }),
    fc
      .record({ from: fc.integer({ min: 0, max: 70_000 }), count: fc.integer({ min: 1, max: 70_000 }) })
      .map(({ from, count }) => Array.from({ length: count }, (_, at) => from + at)),
  )
  .map((rows) => rows.toSorted((left, right) => left - right));

describe('a deletion vector', () => {
  it("is read as the protocol's example has it", async () => {
    const storage = new LocalFolder(newFolder());
    // PROTOCOL.md, Deletion Vectors, JSON Example 3.
    const pathOrInlineDv = 'wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L';
    const inline = { storageType: 'i', pathOrInlineDv, sizeInBytes: 40, cardinality: 6 };
    expect(await readDeletionVector(storage, inline)).toEqual([3, 4, 7, 11, 18, 29]);
    await expect(readDeletionVector(storage, { ...inline, cardinality: 7 })).rejects.toMatchObject({
      code: 'TABLE_CORRUPT',
    });
    await expect(readDeletionVector(storage, { ...inline, storageType: 'x' })).rejects.toMatchObject({
      code: 'TABLE_CORRUPT',
    });
  });

  it('has runs where another writer put them', () => {
    // | magic | 1 bucket | key 0 | cookie 12347, 1 container | it has runs | key 0, cardinality 5 - 1 | 2 runs: 1..3, 10..11 |
    const bytes = Buffer.from(
      'd1d33964010000000000000000000000' + '3b300000' + '01' + '00000400' + '0200' + '01000200' + '0a000100',
      'hex',
    );
    expect(readRowSet(bytes, 'of the test')).toEqual([1, 2, 3, 10, 11]);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readRowSet(bytes.subarray(0, length), 'of the test')).toThrow(/The deletion vector of the test/);
    }
  });

  it('gives back the rows that were written', () => {
    fc.assert(
      fc.property(rowSets, (rows) => {
        expect(readRowSet(writeRowSet(rows), 'of the test')).toEqual(rows);
      }),
    );
  });

  it('is one of several in a file, with a checksum that is minded', async () => {
    const storage = new LocalFolder(newFolder());
    const sets = [[1, 2, 3], [], [70_000]];
    const descriptors = await writeDeletionVectors(storage, sets);
    for (const [at, descriptor] of descriptors.entries())
      expect(await readDeletionVector(storage, descriptor)).toEqual(sets[at]);
    const { bytes, offsets } = fileOfSets(sets.map(writeRowSet));
    const size = writeRowSet(sets[0]!).length;
    expect(setInFile(bytes, offsets[0]!, size, 'of the test')).toEqual(writeRowSet(sets[0]!));
    for (let at = 0; at < size + 8; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 4;
      expect(() => setInFile(damaged, offsets[0]!, size, 'of the test')).toThrow(
        /The deletion vector of the test wants/,
      );
    }
  });
});

describe('Z85', () => {
  it("has the specification's example, and is its own inverse", () => {
    expect(encodeZ85(Uint8Array.of(0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b))).toBe('HelloWorld');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const whole = bytes.subarray(0, bytes.length - (bytes.length % 4));
        expect(decodeZ85(encodeZ85(whole))).toEqual(new Uint8Array(whole));
      }),
    );
    for (const text of ['abcd', 'abc d', '%nSc1', '#####']) expect(decodeZ85(text)).toBeUndefined();
  });
});
