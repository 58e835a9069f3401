import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMissing, parseWrittenNumber, type DecimalMark } from './written-number.ts';

const value = (text: string, mark?: DecimalMark) => parseWrittenNumber(text, mark)?.value;

test.each<[string, number, string | null]>([
  ['₹1,999', 19_990_000, 'INR'],
  ['₹1,23,456.50', 1_234_565_000, 'INR'],
  ['$1,299.00', 12_990_000, null],
  ['US$ 5', 50_000, 'USD'],
  ['1.999,00 €', 19_990_000, 'EUR'],
  ['1 999,00', 19_990_000, null],
  ['1\u202f999,5\u00a0€', 19_995_000, 'EUR'],
  ["1'299.95", 12_999_500, null],
  ['1\u2019299', 12_990_000, null],
  ['USD 12', 120_000, 'USD'],
  ['12.5 GBP', 125_000, 'GBP'],
  ['£.99', 9_900, 'GBP'],
  ['-5', -50_000, null],
  ['-₹5', -50_000, 'INR'],
  ['€-5', -50_000, 'EUR'],
  ['0.0000', 0, null],
  [' 35.79 ', 357_900, null],
])('%j is %d/10,000, %s', (text, wanted, currency) => {
  expect(parseWrittenNumber(text)).toEqual({ value: wanted, currency, percent: false });
});

test.each<[string, number]>([
  ['1,999', 19_990_000],
  ['1.999', 19_990],
  ['0,999', 9_990],
  ['12,5', 125_000],
  ['1234,567', 12_345_670],
  ['1.234.567', 12_345_670_000],
  ['1 999,500', 19_995_000],
  ['1,999.5', 19_995_000],
  ['1.999,5', 19_995_000],
])('without a decimal mark, %j follows the stated rule: %d/10,000', (text, wanted) => {
  expect(value(text)).toBe(wanted);
});

test('a decimal mark that is given decides, and what contradicts it is no number', () => {
  expect([value('1,999', ','), value('1,999', '.')]).toEqual([19_990, 19_990_000]);
  expect([value('1.999', ','), value('1.999', '.')]).toEqual([19_990_000, 19_990]);
  expect([value('1,299.00', ','), value('1.299,00', '.'), value('12,5', '.')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test.each([
  ...['', 'x', '1e3', '5-7', '₹199 - ₹299', '1,99,9', '12.345.67', '1..2', '1,,2', '12.', '1 99', '0x1', '+5', '--5'],
  ...['$5 USD', 'USD', 'ABC 5', 'usd 5', '%5', '1.00001', '99999999999999', '٣', '1_000', '-$-5', "'5"],
])('%j is no number', (text) => {
  expect(parseWrittenNumber(text)).toBeUndefined();
});

test('a percentage says that it is one', () => {
  expect(parseWrittenNumber('64%')).toEqual({ value: 640_000, currency: null, percent: true });
  expect(parseWrittenNumber('6,5 %')).toMatchObject({ value: 65_000, percent: true });
});

test.each(['', ' ', '-', '—', 'N/A', 'n/a', 'NaN', 'null', 'None', '\u00a0'])('%j is missing', (text) => {
  expect(isMissing(text)).toBe(true);
});

describe('a number that was written', () => {
  const grouped = {
    none: (digits: string) => digits,
    western: (digits: string, separator: string) => digits.replace(/\B(?=(\d{3})+$)/g, separator),
    indian: (digits: string, separator: string) =>
      digits
        .replace(/\d{3}$/, '|$&')
        .replace(/\B(?=(\d{2})+\|)/g, separator)
        .replace('|', digits.length > 3 ? separator : ''),
  };
  const style = fc.record({
    exact: fc.integer({ min: -1e13, max: 1e13 }),
    group: fc.constantFrom(...(Object.keys(grouped) as (keyof typeof grouped)[])),
    separator: fc.constantFrom(',', '.', ' ', "'", '\u2019', '\u00a0', '\u202f', '\u2009'),
    mark: fc.constantFrom<DecimalMark>(',', '.'),
    before: fc.constantFrom('', '₹', '$', '€ ', 'USD '),
    behind: fc.constantFrom('', ' €', '£', '\u00a0EUR', ' ₽'),
    zeros: fc.boolean(),
  });
  const write = ({
    exact,
    group,
    separator,
    mark,
    before,
    behind,
    zeros,
  }: typeof style extends fc.Arbitrary<infer S> ? S : never) => {
    const digits = String(Math.abs(exact)).padStart(5, '0');
    const whole = grouped[group](digits.slice(0, -4), separator);
    const fraction = zeros ? digits.slice(-4) : digits.slice(-4).replace(/0+$/, '');
    const number = `${whole}${fraction === '' ? '' : mark}${fraction}`;
    return `${exact < 0 ? '-' : ''}${before}${number}${before === '' ? behind : ''}`;
  };

  test('is read back, whatever its groups, marks and signs, when the decimal mark is given', () => {
    fc.assert(
      fc.property(
        style.filter(({ separator, mark }) => separator !== mark),
        (written) => {
          expect(value(write(written), written.mark)).toBe(written.exact);
        },
      ),
    );
  });

  test('is read back without that wherever it has two marks, or groups by spaces or apostrophes', () => {
    fc.assert(
      fc.property(
        style.filter(
          ({ exact, group, separator, mark, zeros }) =>
            separator !== mark && group !== 'none' && Math.abs(exact) >= 1e7 && (zeros || exact % 10_000 !== 0),
        ),
        (written) => {
          expect(value(write(written))).toBe(written.exact);
        },
      ),
    );
  });

  test('is never read as another one: any text gives a number or nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0123456789.,- '$€%USD") }), (text) => {
        const read = parseWrittenNumber(text);
        if (read !== undefined) expect(Math.abs(read.value) % 1).toBe(0);
      }),
    );
  });
});
