import { expect } from 'vitest';
import { evaluateYoochoose, targets } from '../../models/evaluation/yoochoose.ts';
import { requires } from '../support/requires.ts';

/** How good the recommendations are, on every test session. docs/measurements/quality.md has the output of a run. */
const data = requires('test-data', 'reads the YooChoose sessions, which may not be shipped');

data.test('the next item of a session is among 20 as often as promised, more often than by simple counts', async () => {
  const { shop, popularity, associationRules } = await evaluateYoochoose(process.env['MILLRACE_TEST_DATA']);
  for (const { name, steps, hitRate, meanReciprocalRank } of [popularity, associationRules, shop]) {
    console.log(`${name}: HR@20 ${hitRate.toFixed(4)}, MRR@20 ${meanReciprocalRank.toFixed(4)}, ${steps} steps`);
  }
  expect(shop.steps).toBe(55_898);
  expect(shop.hitRate).toBeGreaterThanOrEqual(targets.hitRate);
  expect(shop.meanReciprocalRank).toBeGreaterThanOrEqual(targets.meanReciprocalRank);
  expect(shop.hitRate).toBeGreaterThan(popularity.hitRate);
  expect(shop.hitRate).toBeGreaterThan(associationRules.hitRate);
});
