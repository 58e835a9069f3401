import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur3 } from '../hash/murmur3.ts';
import { HyperLogLog } from './hyper-log-log.ts';

/** The definition, without any of the forms. */
function registersOf(members: readonly string[]): Uint8Array {
  const registers = new Uint8Array(4096);
  for (const member of members) {
    const register = murmur3(member, 0) >>> 20;
    const h2 = murmur3(member, 0x9747b28c);
    const rank = h2 === 0 ? 33 : 32 - Math.floor(Math.log2(h2));
    registers[register] = Math.max(registers[register]!, rank);
  }
  return registers;
}

function sketchOf(members: readonly string[]): HyperLogLog {
  const sketch = new HyperLogLog();
  for (const member of members) sketch.add(member);
  return sketch;
}

const users = (count: number, prefix = 'user-') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe('HyperLogLog', () => {
  it('has the registers of the definition, sparse and dense, through bytes and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000 }), fc.string({ maxLength: 4 }), (count, prefix) => {
        const members = users(count, prefix);
        const sketch = sketchOf(members);
        expect(sketch.toRegisters()).toEqual(registersOf(members));
        const bytes = sketch.encode();
        const again = HyperLogLog.decode(bytes)!;
        expect(again.toRegisters()).toEqual(sketch.toRegisters());
        expect(again.encode()).toEqual(bytes);
      }),
      { numRuns: 30 },
    );
  });

  it('is a function of the set: order and repetition give the same bytes', () => {
    const members = users(700);
    expect(sketchOf([...members.toReversed(), ...members]).encode()).toEqual(sketchOf(members).encode());
  });

  it.each([0, 1, 10, 100, 1_000, 10_000, 100_000])('estimates %i members within 6 %', (count) => {
    expect(Math.abs(sketchOf(users(count)).estimate() - count)).toBeLessThanOrEqual(0.06 * count);
  });

  it('says whether anything changed', () => {
    const sketch = new HyperLogLog();
    expect(sketch.add('a')).toBe(true);
    expect(sketch.add('a')).toBe(false);
    for (const user of users(5_000)) sketch.add(user);
    for (const user of users(5_000)) expect(sketch.add(user)).toBe(false);
  });

  it('merges to the sketch of the union', () => {
    for (const [left, right] of [
      [10, 20],
      [3_000, 20],
      [20, 3_000],
    ] as const) {
      const merged = sketchOf(users(left, 'l'));
      merged.merge(sketchOf(users(right, 'r')));
      expect(merged.encode()).toEqual(sketchOf([...users(left, 'l'), ...users(right, 'r')]).encode());
    }
  });

  it('knows bytes that are no sketch', () => {
    expect(HyperLogLog.decode(new Uint8Array())).toBeUndefined();
    expect(HyperLogLog.decode(new Uint8Array([2, 0]))).toBeUndefined();
    expect(HyperLogLog.decode(new Uint8Array([1, 0, 0]))).toBeUndefined();
  });
});
