import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDecimal } from './decimal.ts';

describe('a decimal', () => {
  it.each<[string, number]>([
    ['0', 0],
    ['2.55', 25_500],
    ['0.0001', 1],
    ['-11062.06', -110_620_600],
    ['900719925474.0991', Number.MAX_SAFE_INTEGER],
    ['-0.0', 0],
    ['007', 70_000],
  ])('%s is %d ten-thousandths', (text, value) => expect(parseDecimal(text, 4)).toBe(value));

  it.each([
    '',
    '-',
    '.',
    '1.',
    '.5',
    '1.23456',
    '2.55000',
    '1e3',
    '+1',
    '1,5',
    '1.2.3',
    ' 1',
    '--1',
    'NaN',
    '\u0661',
    '900719925474.0992',
    '9'.repeat(40),
  ])('%j is none', (text) => expect(parseDecimal(text, 4)).toBeUndefined());

  it('is exact for every amount', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (amount) => {
        const digits = String(Math.abs(amount)).padStart(5, '0');
        const text = `${amount < 0 ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`;
        expect(parseDecimal(text, 4)).toBe(amount === 0 ? 0 : amount);
      }),
    );
  });
});
