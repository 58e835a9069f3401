import { expect, test } from 'vitest';
import { BatchSize } from './batch-size.ts';

test('a batch grows to its bound while it is quick', () => {
  const size = new BatchSize(1000, 100);
  for (let n = 0; n < 10; n++) size.took(size.records, 1);
  expect(size.records).toBe(1000);
});

test('records that take long come few at a time, and one at a time if need be', () => {
  const size = new BatchSize(1000, 100);
  size.took(16, 16 * 20);
  expect(size.records).toBe(5);
  size.took(5, 5 * 20);
  expect(size.records).toBe(5);
  size.took(5, 5 * 1000);
  expect(size.records).toBe(1);
  size.took(1, 1000);
  expect(size.records).toBe(1);
});

test('a batch that was not full says nothing of a larger one', () => {
  const size = new BatchSize(1000, 100);
  size.took(3, 1);
  expect(size.records).toBe(16);
});
