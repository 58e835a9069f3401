/**
 * Numbers as people and shops write them, exactly: `₹1,999`, `$1,299.00`, `1.999,00 €`, `1 999,00`, `USD 12`.
 *
 *     text     = [sign] [space] number [space] [sign]      at most one sign: a currency sign, a currency code or `%`
 *     number   = ["-"] digits, in groups or not, and a fraction or not
 *     groups   three digits each behind the first (1,234,567), or the Indian way, two each and three at last (12,34,567);
 *              separated by one of: comma, point, apostrophe, space (also a narrow or unbreakable one)
 *
 * Which mark is the decimal one, the first rule that fits decides:
 *
 * | found                                                  | decimal mark                     | example                   |
 * |--------------------------------------------------------|----------------------------------|---------------------------|
 * | the caller says                                        | that one; the other groups       | `1,999` with `,`: 1.999   |
 * | comma and point                                        | the last to come                 | `1.999,00`: 1999          |
 * | one of them, several times                             | none: it groups                  | `1.234.567`: 1234567      |
 * | one of them once, behind spaces or apostrophes         | it                               | `1 999,500`: 1999.5       |
 * | a comma once, behind 1-3 digits that do not begin with 0, three digits behind it | none: it groups | `1,999`: 1999    |
 * | one of them once, otherwise                            | it                               | `1.999`: 1.999, `12,5`: 12.5 |
 *
 * Only the last two rules are about numbers that can be read in two ways, and they read them the English way: whoever has
 * `1.999` for 1999 says that the comma is the decimal mark. What fits no rule, as `1,99,9`, `1e3` or `5-7`, is no number.
 */
import { parseDecimal } from './decimal.ts';

export type DecimalMark = ',' | '.';

export interface WrittenNumber {
  /** In 1/10,000. */
  readonly value: number;
  /** ISO 4217, by a code or a sign that only one currency has. */
  readonly currency: string | null;
  readonly percent: boolean;
}

/** Undefined: no number that 1/10,000 can hold exactly. */
export function parseWrittenNumber(text: string, decimalMark?: DecimalMark): WrittenNumber | undefined {
  const parts = pattern.exec(text.trim());
  if (parts === null) return undefined;
  const [, minus = '', before, innerMinus = '', number = '', after] = parts;
  if ((before !== undefined && after !== undefined) || (minus !== '' && innerMinus !== '')) return undefined;
  const sign = before ?? after;
  const currency = currencyOf(sign);
  if (currency === undefined || before === '%') return undefined;
  const decimal = plainDecimal(number, decimalMark);
  const value = decimal === undefined ? undefined : parseDecimal(`${minus}${innerMinus}${decimal}`, 4);
  return value === undefined ? undefined : { value, currency, percent: sign === '%' };
}

/** Nothing, or one of the ways to write that. */
export function isMissing(text: string): boolean {
  return missing.has(text.trim().toLowerCase());
}

const missing: ReadonlySet<string> = new Set(['', '-', '–', '—', 'n/a', 'na', 'nan', 'null', 'none']);

const spaces = '\u0020\u00a0\u2009\u202f';
const sign = `\\p{Sc}|US\\$|[A-Z]{3}|%`;
const pattern = new RegExp(
  `^(-?)(?:(${sign})[${spaces}]?)?(-?)([\\d.,'\u2019${spaces}]*\\d)(?:[${spaces}]?(${sign}))?$`,
  'u',
);

/** Signs that one currency has alone. `$`, `¥` and others are those of several. */
const currencyOfSign: Readonly<Record<string, string>> = {
  '₹': 'INR',
  '€': 'EUR',
  '£': 'GBP',
  '₺': 'TRY',
  '₴': 'UAH',
  '₪': 'ILS',
  '₫': 'VND',
  '₽': 'RUB',
  US$: 'USD',
};
const codes: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** Null: the sign says none, or there is none. Undefined: three capitals that are no currency. */
function currencyOf(found: string | undefined): string | null | undefined {
  if (found === undefined) return null;
  if (/^[A-Z]{3}$/.test(found)) return codes.has(found) ? found : undefined;
  return currencyOfSign[found] ?? null;
}

/** Digits and at most one point. */
function plainDecimal(number: string, given: DecimalMark | undefined): string | undefined {
  const mark = given ?? decimalMarkOf(number);
  const at = mark === undefined ? -1 : number.lastIndexOf(mark);
  const whole = at < 0 ? number : number.slice(0, at);
  const fraction = at < 0 ? '' : number.slice(at);
  const digits = ungrouped(whole);
  if (digits === undefined || (mark !== undefined && whole.includes(mark))) return undefined;
  if (!/^(?:[.,]\d+)?$/.test(fraction)) return undefined;
  return digits + fraction.replace(',', '.');
}

function decimalMarkOf(number: string): DecimalMark | undefined {
  const comma = number.lastIndexOf(',');
  const point = number.lastIndexOf('.');
  if (comma >= 0 && point >= 0) return comma > point ? ',' : '.';
  if (comma < 0 && point < 0) return undefined;
  const mark = comma >= 0 ? ',' : '.';
  if (number.indexOf(mark) !== number.lastIndexOf(mark)) return undefined;
  if (mark === ',' && /^[1-9]\d{0,2},\d{3}$/.test(number)) return undefined;
  return mark;
}

/** Without its separators; `.99` has nothing before the point, which is 0. */
function ungrouped(whole: string): string | undefined {
  if (whole === '') return '0';
  if (/^\d+$/.test(whole)) return whole;
  const [separator] = /\D/.exec(whole)!;
  const groups = whole.split(separator);
  if (groups.some((group) => !/^\d+$/.test(group))) return undefined;
  const [first = 0, ...others] = groups.map(({ length }) => length);
  const last = others.at(-1);
  const western = first <= 3 && others.every((length) => length === 3);
  const indian = first <= 2 && last === 3 && others.slice(0, -1).every((length) => length === 2);
  return western || indian ? groups.join('') : undefined;
}
