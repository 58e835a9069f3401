import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ItemIds } from './item-ids.ts';

const id = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^B0[0-9A-F]{0,3}$/));

test('ids have the indexes that a Map would give them, and come back as they were', () => {
  fc.assert(
    fc.property(fc.array(id, { maxLength: 200 }), fc.array(id, { maxLength: 20 }), (added, asked) => {
      const ids = new ItemIds();
      const oracle = new Map<string, number>();
      for (const each of added) {
        if (!oracle.has(each)) oracle.set(each, oracle.size);
        expect(ids.add(each)).toBe(oracle.get(each));
      }
      expect(ids.size).toBe(oracle.size);
      for (const [each, index] of oracle) expect(ids.id(index)).toBe(each);
      for (const each of [...added, ...asked]) expect(ids.find(each)).toBe(oracle.get(each));
    }),
  );
});

test('a hundred thousand ids are found again after every array has grown, in under 40 bytes each', () => {
  const ids = new ItemIds();
  const count = 100_000;
  for (let at = 0; at < count; at += 1) ids.add(`B0${at}`);
  for (let at = 0; at < count; at += 1) {
    if (ids.find(`B0${at}`) !== at || ids.id(at) !== `B0${at}`) expect.fail(`B0${at} is lost`);
  }
  expect(ids.find('B0')).toBeUndefined();
  expect(ids.byteLength / count).toBeLessThan(40);
});
