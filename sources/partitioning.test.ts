import { expect, it } from 'vitest';
import { interactionKey } from './partitioning.ts';

it('an interaction\u2019s key is its session, else its user, and the two never meet', () => {
  expect(interactionKey({ sessionId: '7', userId: '7' })).toBe('s:7');
  expect(interactionKey({ sessionId: '7', userId: null })).toBe('s:7');
  expect(interactionKey({ sessionId: null, userId: '7' })).toBe('u:7');
});
