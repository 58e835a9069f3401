import { expect, test } from 'vitest';
import { parameterOf, replayStart } from './replay-start.ts';

test('a start is earliest, a time, or offsets', () => {
  expect(replayStart('earliest')).toEqual({ kind: 'earliest' });
  expect(replayStart('2010-12-01')).toEqual({ kind: 'time', timeMs: Date.UTC(2010, 11, 1) });
  expect(replayStart('2010-12-01T06:00:00+01:00')).toEqual({ kind: 'time', timeMs: Date.UTC(2010, 11, 1, 5) });
  expect(replayStart('4000')).toEqual({ kind: 'offsets', offsets: [4000] });
  expect(replayStart('4000,0')).toEqual({ kind: 'offsets', offsets: [4000, 0] });
  for (const text of ['', 'latest', '-1', '2010-13-01', '2010-12-01T06:00', '1,,2']) {
    expect(() => replayStart(text)).toThrow(`found '${text}'`);
  }
});

test('a parameter has a name and a whole number', () => {
  expect(parameterOf('pairPositions=5')).toEqual(['pairPositions', 5]);
  for (const text of ['pairPositions', 'pairPositions=', '=5', 'a=1.5']) expect(() => parameterOf(text)).toThrow(text);
});
