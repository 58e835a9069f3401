import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textSerde } from './conformance/serdes.ts';
import { timestampedSerde } from './timestamped-serde.ts';

describe('timestamped serde', () => {
  const serde = timestampedSerde(textSerde());

  it('lays bytes out as KIP-258 does', () => {
    const hex = (timestamp: number) => Buffer.from(serde.serialize({ value: 'a', timestamp })).toString('hex');
    expect(hex(1_700_000_000_000)).toBe('0000018bcfe56800' + '61');
    expect(hex(-1)).toBe('ffffffffffffffff' + '61');
  });

  it('gives value and timestamp back, also from a view into a larger buffer', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.string(), (timestamp, value) => {
        const around = Buffer.concat([Buffer.from('???'), serde.serialize({ value, timestamp })]);
        expect(serde.deserialize(around.subarray(3))).toEqual({ value, timestamp });
      }),
    );
  });

  it('prepares and sizes as the serde of the value does', async () => {
    const seen: string[] = [];
    const full = timestampedSerde({
      ...textSerde(),
      async prepare(payloads) {
        for (const payload of payloads) seen.push(Buffer.from(payload).toString());
      },
      sizeOf: (value) => value.length,
    });
    await full.prepare?.([full.serialize({ value: 'abc', timestamp: 1 })]);
    expect(seen).toEqual(['abc']);
    expect(full.sizeOf?.({ value: 'abc', timestamp: 1 })).toBe(11);
    expect(serde.prepare).toBeUndefined();
  });
});
