import { describe, expect, it } from 'vitest';
import { interactionSchema, interactionTypes, validateInteraction } from './interaction.ts';
import { isInvalidField } from './validated-field.ts';

const nowMs = 1_700_000_000_000;
const least = { eventId: 'e1', userId: 'u1', productId: 'p1', type: 'view', timestamp: nowMs };
const full = {
  eventId: 'e1',
  userId: null,
  sessionId: 's1',
  productId: 'p1',
  type: 'purchase',
  quantity: 2,
  price: 25_500,
  currency: 'GBP',
  timestamp: nowMs,
  title: 'Lantern',
  service: false,
};

describe('an interaction', () => {
  it('gets the schema\u2019s defaults for what was left out', () => {
    expect(validateInteraction(least, nowMs)).toEqual({
      ...least,
      sessionId: null,
      quantity: 1,
      price: 0,
      currency: null,
      title: null,
      service: false,
    });
  });
  it('that is complete stays as it is', () => expect(validateInteraction(full, nowMs)).toEqual(full));
  it('may be of every type the schema names', () => {
    for (const type of interactionTypes) expect(validateInteraction({ ...least, type }, nowMs)).toMatchObject({ type });
    expect(JSON.stringify(interactionSchema)).toContain(JSON.stringify(interactionTypes));
  });
  it('may be five minutes ahead, not a millisecond more', () => {
    expect(isInvalidField(validateInteraction({ ...least, timestamp: nowMs + 300_000 }, nowMs))).toBe(false);
    expect(validateInteraction({ ...least, timestamp: nowMs + 300_001 }, nowMs)).toEqual({
      field: 'timestamp',
      reason: 'wants at most 300000 ms ahead of the clock, found 300001 ms',
    });
  });

  it.each<[string, object]>([
    ['eventId', { eventId: '' }],
    ['eventId', { eventId: 'x'.repeat(201) }],
    ['eventId', { eventId: 7 }],
    ['eventId', { eventId: 'a\ud800' }],
    ['userId', { userId: '' }],
    ['userId', { userId: null }],
    ['userId', { userId: 17850 }],
    ['sessionId', { sessionId: '' }],
    ['productId', { productId: undefined }],
    ['productId', { productId: 'x'.repeat(201) }],
    ['type', { type: 'VIEW' }],
    ['type', { type: '__proto__' }],
    ['quantity', { quantity: 0 }],
    ['quantity', { quantity: 1.5 }],
    ['quantity', { quantity: '1' }],
    ['quantity', { quantity: 1_000_000_001 }],
    ['quantity', { quantity: null }],
    ['price', { price: -1 }],
    ['price', { price: 2 ** 53 }],
    ['price', { price: NaN }],
    ['price', { price: 2 ** 52, quantity: 2 }],
    ['price', { price: Number.MAX_SAFE_INTEGER }],
    ['currency', { currency: 'gbp' }],
    ['currency', { currency: 'GBP\n' }],
    ['timestamp', { timestamp: -1 }],
    ['timestamp', { timestamp: '2010-12-01' }],
    ['timestamp', { timestamp: 1.5 }],
    ['title', { title: 'x'.repeat(4097) }],
    ['service', { service: 'yes' }],
    ['colour', { colour: 'red' }],
  ])('is refused naming %s: %j', (field, change) => {
    expect(validateInteraction({ ...least, ...change }, nowMs)).toMatchObject({ field });
  });
  it.each([null, undefined, 1, 'text', [least]])('is refused when it is %j, no object', (value) => {
    expect(validateInteraction(value, nowMs)).toMatchObject({ field: '' });
  });
});
