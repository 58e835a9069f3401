import { expect, it } from 'vitest';
import type { Interaction } from '../../schemas/index.ts';
import { sessionWindowsSerde, withEvent } from './session-window.ts';

const dearest: Omit<Interaction, 'type'> = {
  ...{ eventId: 'e', userId: 'u', sessionId: null, productId: 'p', quantity: 1, price: Number.MAX_SAFE_INTEGER },
  ...{ currency: null, timestamp: 1_290_000_000_000, title: null, service: false },
};

it.each([
  ['purchase', 1],
  ['return', -1],
] as const)('a window of the dearest %s there can be stops at 2^52, and comes back from its bytes', (type, sign) => {
  const windows = withEvent([], { ...dearest, type }, 1);
  expect(windows[0]?.revenue).toBe(sign * (2 ** 52 - 1));
  expect(sessionWindowsSerde.deserialize(sessionWindowsSerde.serialize(windows))).toEqual(windows);
});
