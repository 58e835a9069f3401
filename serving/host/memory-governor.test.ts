import { expect, test } from 'vitest';
import { collectNow } from './collect-now.ts';
import { MemoryGovernor } from './memory-governor.ts';

test('caches give way while the process is near its bound, and come back when it is not', () => {
  let resident = 700;
  using governor = new MemoryGovernor(1000, () => resident);
  expect(governor.share()).toBe(1);
  resident = 900;
  expect(governor.share()).toBeCloseTo(0.8);
  expect(governor.share()).toBeCloseTo(0.64);
  resident = 850;
  expect(governor.share()).toBeCloseTo(0.64);
  resident = 700;
  expect(governor.share()).toBeCloseTo(0.672);
  for (let commits = 0; commits < 20; commits++) governor.share();
  expect(governor.share()).toBe(1);
});

test('near the bound nothing waits for a commit', () => {
  let resident = 910;
  using governor = new MemoryGovernor(1000, () => resident);
  governor.look();
  expect(governor.isTight).toBe(false);
  resident = 930;
  governor.look();
  expect(governor.isTight).toBe(true);
  resident = 900;
  governor.look();
  expect(governor.isTight).toBe(false);
});

test('what was resident between two commits counts, and only once; something is always left', () => {
  let resident = 950;
  using governor = new MemoryGovernor(1000, () => resident);
  governor.look();
  resident = 700;
  expect(governor.share()).toBeCloseTo(0.8);
  expect(governor.share()).toBeCloseTo(0.84);
  resident = 2000;
  for (let commits = 0; commits < 30; commits++) governor.share();
  expect(governor.share()).toBe(0.2);
});

test('at the bound garbage is collected, not at every look', () => {
  let resident = 940;
  let collections = 0;
  using governor = new MemoryGovernor(
    1000,
    () => resident,
    () => (collections += 1),
  );
  governor.look();
  expect(collections).toBe(0);
  resident = 960;
  governor.look();
  governor.look();
  expect(collections).toBe(1);
});

test('a collection takes what nobody holds', () => {
  const weak = new WeakRef(new Uint8Array(1000));
  collectNow();
  return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    collectNow();
    expect(weak.deref()).toBeUndefined();
  });
});
