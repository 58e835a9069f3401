import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LogRecord } from '../log.ts';
import { compressionOf, loadZstd, type CompressionName } from './compression.ts';
import { crc32c } from './crc32c.ts';
import { encodeRecordBatch, fetchedBatches } from './record-batch.ts';

beforeAll(loadZstd);

const bytes = fc.uint8Array({ maxLength: 40 });
const record: fc.Arbitrary<LogRecord> = fc.record({
  key: fc.option(bytes),
  value: fc.option(fc.oneof(bytes, fc.uint8Array({ minLength: 100, maxLength: 3000 }))),
  timestamp: fc.oneof(
    fc.integer({ min: 0, max: 4e12 }),
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  ),
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: bytes }), { maxLength: 3 }),
});
const names: CompressionName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

describe('a record batch of Kafka', () => {
  it('comes back as it was, in every compression, one after the other', () => {
    const batches = fc.array(fc.tuple(fc.array(record, { minLength: 1, maxLength: 30 }), fc.constantFrom(...names)), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(batches, (written) => {
        const wire = Buffer.concat(written.map(([records, name]) => encodeRecordBatch(records, compressionOf(name))));
        const read = [...fetchedBatches(wire, 't/0')];
        expect(read.map((batch) => plain(batch.records()))).toEqual(written.map(([records]) => plain(records)));
        expect(read.map(({ lastOffset }) => lastOffset)).toEqual(written.map(([records]) => records.length - 1));
      }),
    );
  });

  it('says in its attributes how it is compressed, and is smaller for it', () => {
    const repetitive = [{ key: null, value: Buffer.alloc(10_000, 'abc'), timestamp: 5 }];
    const sizes = names.map((name, id) => {
      const wire = Buffer.from(encodeRecordBatch(repetitive, compressionOf(name)));
      expect(wire.readInt16BE(21) & 7).toBe(id);
      return wire.length;
    });
    expect(sizes[0]).toBeGreaterThan(10_000);
    for (const size of sizes.slice(1)) expect(size).toBeLessThan(1000);
  });

  it('of a producer says so', () => {
    const producer = { producerId: 2n ** 40n, producerEpoch: 3, baseSequence: 7, transactional: true };
    const wire = encodeRecordBatch([{ key: null, value: null, timestamp: 5 }], compressionOf('none'), producer);
    expect([...fetchedBatches(wire, 't/0')][0]).toMatchObject({
      producerId: 2n ** 40n,
      transactional: true,
      marker: undefined,
    });
  });

  it('that is cut off is left out, one with a flipped bit refused', () => {
    const wire = encodeRecordBatch([{ key: null, value: Buffer.from('whole'), timestamp: 5 }], compressionOf('none'));
    const two = Buffer.concat([wire, wire]);
    for (let length = wire.length; length < two.length; length++) {
      expect([...fetchedBatches(two.subarray(0, length), 't/0')]).toHaveLength(1);
    }
    for (let at = 17; at < wire.length; at++) {
      const flipped = Uint8Array.from(wire);
      flipped[at]! ^= 1;
      expect(() => [...fetchedBatches(flipped, 't/0')]).toThrow(/t\/0 at offset 0 is damaged: checksum/);
    }
  });
});

it('CRC-32C has the values of RFC 3720, B.4', () => {
  const of = (data: Uint8Array) => crc32c(data, 0, data.length);
  expect(of(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(of(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(of(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(of(Buffer.from('123456789'))).toBe(0xe3069283);
});

function plain(records: readonly LogRecord[]) {
  return records.map(({ key, value, timestamp, headers }) => ({
    key: key && Buffer.from(key).toString('hex'),
    value: value && Buffer.from(value).toString('hex'),
    timestamp,
    headers: (headers ?? []).map((header) => [header.key, Buffer.from(header.value).toString('hex')]),
  }));
}
