import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMillraceError } from './errors.ts';
import type { Serde } from './serde.ts';
import { bytesSerde, int64Serde, jsonSerde, numberSerde, stringSerde, voidSerde } from './serdes.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const codeOf = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    return isMillraceError(error) ? error.code : error;
  }
  return 'no error';
};

describe('serdes give back what they were given', () => {
  /** The value that does not come back as it was, or null. */
  const lost = <T>(serde: Serde<T>, values: fc.Arbitrary<T>) => {
    const comesBack = (value: T) => expect(serde.deserialize(serde.serialize(value))).toEqual(value);
    return fc.check(
      fc.property(values, (value) => {
        comesBack(value);
      }),
    ).counterexample;
  };
  const json = fc.jsonValue().filter((value) => !hasNegativeZero(value));

  it('string, any Unicode text', () => expect(lost(stringSerde, fc.string({ unit: 'binary' }))).toBeNull());
  it('bytes', () => expect(lost(bytesSerde, fc.uint8Array())).toBeNull());
  it('int64, any safe integer', () => expect(lost(int64Serde, fc.maxSafeInteger())).toBeNull());
  it('number, with NaN and -0', () => expect(lost(numberSerde, fc.double())).toBeNull());
  it('json', () => expect(lost(jsonSerde<unknown>(), json)).toBeNull());
  it('void', () => expect(lost(voidSerde, fc.constant(undefined))).toBeNull());

  it('string keeps a byte-order mark and a genuine replacement character', () => {
    for (const text of ['\uFEFFabc', 'a\uFFFDb', '\uFFFD'])
      expect(stringSerde.deserialize(stringSerde.serialize(text))).toBe(text);
  });

  it('from a view into a larger buffer', () => {
    const page = Buffer.from(`ab${'caf\u00e9'}yz`);
    expect(stringSerde.deserialize(new Uint8Array(page).subarray(2, 7))).toBe('caf\u00e9');
    const numbers = Buffer.concat([Buffer.alloc(3), int64Serde.serialize(-2), numberSerde.serialize(0.5)]);
    expect(int64Serde.deserialize(numbers.subarray(3, 11))).toBe(-2);
    expect(numberSerde.deserialize(numbers.subarray(11))).toBe(0.5);
  });
});

describe('serdes lay bytes out as Kafka does', () => {
  it('int64 is big-endian two\u2019s complement', () => {
    expect(hex(int64Serde.serialize(1))).toBe('0000000000000001');
    expect(hex(int64Serde.serialize(-1))).toBe('ffffffffffffffff');
    expect(hex(int64Serde.serialize(-4294967296))).toBe('ffffffff00000000');
    expect(hex(int64Serde.serialize(Number.MAX_SAFE_INTEGER))).toBe('001fffffffffffff');
  });
  it('float64 is big-endian IEEE 754', () => expect(hex(numberSerde.serialize(1))).toBe('3ff0000000000000'));
});

describe('serdes refuse', () => {
  it.each(['ff', 'c3', 'c080', 'eda080', '61f4908080', 'e282'])('bytes %s as text', (invalid) => {
    expect(codeOf(() => stringSerde.deserialize(Buffer.from(invalid, 'hex')))).toBe('DESERIALIZATION_FAILED');
    expect(codeOf(() => jsonSerde().deserialize(Buffer.from(invalid, 'hex')))).toBe('DESERIALIZATION_FAILED');
  });
  it('torn JSON', () =>
    expect(codeOf(() => jsonSerde().deserialize(Buffer.from('{"a":')))).toBe('DESERIALIZATION_FAILED'));
  it('numbers of the wrong length, and integers beyond 2^53', () => {
    expect(codeOf(() => int64Serde.deserialize(Buffer.alloc(7)))).toBe('DESERIALIZATION_FAILED');
    expect(codeOf(() => int64Serde.deserialize(Buffer.from('0020000000000000', 'hex')))).toBe('DESERIALIZATION_FAILED');
    expect(codeOf(() => numberSerde.deserialize(Buffer.alloc(9)))).toBe('DESERIALIZATION_FAILED');
    expect(codeOf(() => voidSerde.deserialize(Buffer.alloc(1)))).toBe('DESERIALIZATION_FAILED');
  });
  it('to write what could not be read back', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const write of [
      () => stringSerde.serialize('\ud800'),
      () => stringSerde.serialize(1 as unknown as string),
      () => int64Serde.serialize(0.5),
      () => int64Serde.serialize(2 ** 53),
      () => numberSerde.serialize('1' as unknown as number),
      () => bytesSerde.serialize('a' as unknown as Uint8Array),
      () => jsonSerde().serialize(undefined),
      () => jsonSerde().serialize(1n),
      () => jsonSerde().serialize(cycle),
    ]) {
      expect(codeOf(write)).toBe('SERIALIZATION_FAILED');
    }
  });
});

function hasNegativeZero(value: unknown): boolean {
  if (Object.is(value, -0)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasNegativeZero);
}
