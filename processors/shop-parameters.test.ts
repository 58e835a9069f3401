import { expect, test } from 'vitest';
import { defaultShopParameters, shopParameterRanges, shopParameters } from './shop-parameters.ts';

test('what is given replaces what was, within its range', () => {
  expect(shopParameters({})).toEqual(defaultShopParameters);
  const base = shopParameters({ pairPositions: 3 });
  expect(shopParameters({ sessionGapMs: 60_000 }, base)).toEqual({ ...base, sessionGapMs: 60_000 });
  for (const [name, [from, to]] of Object.entries(shopParameterRanges)) {
    expect(shopParameters({ [name]: from })).toMatchObject({ [name]: from });
    expect(shopParameters({ [name]: to })).toMatchObject({ [name]: to });
    for (const value of [from - 1, to + 1, from + 0.5, String(from), null]) {
      expect(() => shopParameters({ [name]: value })).toThrow(`Parameter ${name} wants a whole number ${from}..${to}`);
    }
  }
});

test('an unknown parameter is told which there are', () => {
  expect(() => shopParameters({ toString: 1 })).toThrow(
    "one of pairPositions, sessionGapMs, dedupeHorizonMs, found 'toString'",
  );
});
