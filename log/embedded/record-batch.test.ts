import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../log.ts';
import { recordBytes } from '../record-bytes.ts';
import { decodeBatchHeader, decodeRecordBatch, encodeRecordBatch } from './record-batch.ts';
import { unzigzag, VarintReader, varintSize, writeVarint, zigzag } from '../varint.ts';

const bytes = fc.uint8Array({ maxLength: 40 });
const header = fc.record({ key: fc.string({ maxLength: 5 }), value: bytes });
const headers = fc.array(header, { minLength: 1, maxLength: 3 });
const record = fc.record(
  {
    key: fc.option(bytes),
    value: fc.option(bytes),
    timestamp: fc.oneof(fc.constant(1_700_000_000_000), fc.integer({ min: -8.64e15 / 4, max: 8.64e15 / 4 })),
    headers,
  },
  { requiredKeys: ['key', 'value', 'timestamp'] },
);

describe('record batch', () => {
  it('comes back as it was, with gaps between offsets or without', () => {
    const history = fc.record({
      base: fc.oneof(fc.nat(), fc.integer({ min: 2 ** 40, max: 2 ** 52 })),
      records: fc.array(fc.tuple(record, fc.nat({ max: 300 })), { minLength: 1, maxLength: 20 }),
      sparse: fc.boolean(),
      horizon: fc.nat(),
      appendTimeMs: fc.option(fc.nat(), { nil: undefined }),
    });
    fc.assert(
      fc.property(history, ({ base, records, sparse, horizon, appendTimeMs }) => {
        let next = base;
        const offsets = records.map(([, gap]) => (next += sparse ? gap + 1 : 1) - 1);
        const lastOffset = (offsets.at(-1) as number) + (sparse ? 3 : 0);
        const placement = sparse ? { offsets, lastOffset, deleteHorizonMs: horizon } : undefined;
        const sent = records.map(([r]) => r as LogRecord);
        const encoded = encodeRecordBatch(base, sent, appendTimeMs, placement);
        const batch = decodeRecordBatch(within(encoded));
        expect(batch.records.map(plain)).toEqual(sent.map((r, i) => plain({ ...r, offset: offsets[i] as number })));
        const maxTimestamp = Math.max(...sent.map((r) => r.timestamp));
        const deleteHorizonMs = sparse ? horizon : 0;
        const counted = { baseOffset: base, lastOffset, count: sent.length, maxTimestamp };
        const wanted = { ...counted, deleteHorizonMs, appendTimeMs };
        expect(decodeBatchHeader(encoded)).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });

  it('makes views into the stored bytes instead of copies', () => {
    const encoded = encodeRecordBatch(7, [{ key: Buffer.from('key'), value: Buffer.from('value'), timestamp: 1 }], 5);
    const [first] = decodeRecordBatch(encoded).records;
    expect(first?.value?.buffer).toBe(encoded.buffer);
    expect(first?.key?.buffer).toBe(encoded.buffer);
  });

  it('is refused when bytes are missing, too many, or not of this format', () => {
    const encoded = encodeRecordBatch(0, [{ key: null, value: Buffer.from('value'), timestamp: 1 }], 5);
    for (const damaged of [
      encoded.subarray(0, encoded.length - 1),
      encoded.subarray(0, 20),
      Buffer.concat([encoded, Buffer.alloc(1)]),
      Buffer.from(encoded).fill(9, 0, 1),
    ]) {
      expect(() => decodeRecordBatch(damaged)).toThrow(expect.objectContaining({ code: 'DATA_FOLDER_CORRUPT' }));
    }
  });

  it('is read in format 1 too, which has no append time', () => {
    // As the program of data folders up to format 2 wrote it.
    const written = Buffer.from(
      '01040000000000020000000000000007000000000000000800000125e72e780000000125e72e79f40000000000000000000000430000004a' +
        '020400000200e807010101616f6e65626876',
      'hex',
    );
    const { appendTimeMs, ...batch } = decodeRecordBatch(written);
    expect(appendTimeMs).toBeUndefined();
    expect(batch).toMatchObject({ baseOffset: 7, lastOffset: 8, count: 2, maxTimestamp: 1_262_304_000_500 });
    const [first, second] = batch.records;
    expect(plain(first!)).toEqual([7, 1_262_304_000_000, [...Buffer.from('a')], [...Buffer.from('one')], []]);
    expect(plain(second!)).toEqual([8, 1_262_304_000_500, [...Buffer.from('b')], null, [['h', [...Buffer.from('v')]]]]);
  });

  it('weighs keys, values and headers', () => {
    const value = new Uint8Array(10);
    expect(recordBytes({ key: null, value, timestamp: 0 })).toBe(10);
    expect(recordBytes({ key: value, value: null, timestamp: 0, headers: [{ key: 'ä', value }] })).toBe(22);
  });
});

describe('varint', () => {
  it('reads what was written, in the size it said', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(300), fc.nat(), fc.maxSafeNat()), { minLength: 1 }), (numbers) => {
        const out = new Uint8Array(numbers.length * 8);
        let end = 0;
        for (const number of numbers) {
          const start = end;
          end = writeVarint(out, start, number);
          expect(end - start).toBe(varintSize(number));
        }
        const reader = new VarintReader(out, 0, end);
        expect(numbers.map(() => reader.next())).toEqual(numbers);
        expect(() => reader.next()).toThrow(RangeError);
      }),
    );
  });

  it('folds signs and unfolds them', () => {
    expect([0, -1, 1, -2, 2].map(zigzag)).toEqual([0, 1, 2, 3, 4]);
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), (n) => {
        expect(unzigzag(zigzag(n)) + 0).toBe(n + 0);
      }),
    );
  });
});

/** The bytes in the middle of a larger buffer, as an engine may give them. */
function within(value: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.alloc(3), value, Buffer.alloc(3)]).subarray(3, 3 + value.length);
}

function plain(of: LogRecord & { readonly offset: number }) {
  const array = (value: Uint8Array | null) => (value === null ? null : [...value]);
  const seen = (of.headers ?? []).map(({ key, value }) => [Buffer.from(key).toString(), [...value]]);
  return [of.offset, of.timestamp, array(of.key), array(of.value), seen];
}
