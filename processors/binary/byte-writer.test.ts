import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

it('rows come back as written, one after the other, over the ends of pages', () => {
  const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 60, maxLength: 300, size: 'max' }));
  const row = fc.record({
    text,
    varint: fc.maxSafeNat(),
    zigzag: fc.integer({ min: -(2 ** 31), max: 2 ** 31 }).map((n) => n * 2 ** 20),
    byte: fc.nat(255),
    double: fc.double(),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 300, size: 'max' }), (rows) => {
      const writer = new ByteWriter();
      const written = rows.map((value) =>
        writer
          .begin()
          .text(value.text)
          .varint(value.varint)
          .zigzag(value.zigzag)
          .byte(value.byte)
          .double(value.double)
          .finish(),
      );
      for (const [at, value] of rows.entries()) {
        const reader = new ByteReader('test', written[at]!);
        expect({
          text: reader.text(),
          varint: reader.varint(),
          zigzag: reader.zigzag(),
          byte: reader.byte(),
          double: reader.double(),
        }).toEqual(value);
        reader.end();
      }
    }),
    { numRuns: 100 },
  );
});

it('an abandoned row leaves nothing behind', () => {
  const writer = new ByteWriter();
  writer.begin().text('half');
  expect([...writer.begin().byte(7).finish()]).toEqual([7]);
  expect([...writer.begin().byte(8).finish()]).toEqual([8]);
});

it('bytes that are too short or too long name the serde', () => {
  expect(() => new ByteReader('session', new Uint8Array([5, 65])).text()).toThrow(
    "Serde 'session' wants 5 more bytes at byte 1, found 1",
  );
  expect(() => new ByteReader('session', new Uint8Array([1])).end()).toThrow(
    "Serde 'session' wants no more bytes at byte 0, found 1",
  );
});
