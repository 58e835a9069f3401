import { expect, test } from 'vitest';
import type { RestoreProgress } from '../../topology/index.ts';
import { Notices } from './notices.ts';

const progress: RestoreProgress = {
  ...{
    topic: 'shop-pairs-changelog',
    partition: 3,
    offset: 10_000,
    endOffset: 90_000,
    records: 10_000,
    recordsMax: 80_000,
  },
  ...{ recordsPerSecond: 1000, remainingMs: 70_000, full: true },
};

test('a restore that takes long says how far it is, every few seconds, and that it has ended', () => {
  const told: string[] = [];
  const notices = new Notices((text) => told.push(text));
  notices.restored(progress, 0);
  notices.restored(progress, 4000);
  expect(told).toEqual([]);
  notices.restored({ ...progress, offset: 20_000, records: 20_000, remainingMs: 60_500 }, 5000);
  notices.restored({ ...progress, offset: 30_000, records: 30_000, remainingMs: undefined }, 6000);
  notices.restored({ ...progress, offset: 90_000, records: 80_000 }, 7000);
  expect(told).toEqual([
    'Restoring shop-pairs-changelog 3 (from the beginning): 20000 of at most 80000 records, 61 s left.',
    'Restored shop-pairs-changelog 3 (from the beginning): 80000 records.',
  ]);
});

test('one that is done with its first records is not worth a word', () => {
  const told: string[] = [];
  new Notices((text) => told.push(text)).restored({ ...progress, offset: 90_000 }, 0);
  expect(told).toEqual([]);
});
