import type { Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';

/**
 * The hours of one UTC month that had an event, ascending: the row of `product-hours` and `category-hours`. A day is the
 * sum of its hours.
 *
 *     key:    <id>/<yyyy-mm>    the month follows the last slash, whatever the id
 *     bytes:  { hour varint | views | carts | purchases | returns | quantity zigzag | revenue zigzag } × hours
 */
export type MonthOfHours = HourCounts[];

export interface HourCounts extends Counts {
  /** Of the month: 24 · (day − 1) + hour of the day, 0..743. */
  readonly hour: number;
}

/** Events of each kind, pieces and money (1/10,000 of the currency), bought less returned. */
export interface Counts {
  views: number;
  carts: number;
  purchases: number;
  returns: number;
  quantity: number;
  revenue: number;
}

export function noCounts(): Counts {
  return { views: 0, carts: 0, purchases: 0, returns: 0, quantity: 0, revenue: 0 };
}

/**
 * Adds up over hours or products. Quantity and money stop at ±2^52 (450 billion of a currency): a sum over many products is
 * nothing that a single event can be refused for.
 */
export function addCounts(to: Counts, add: Readonly<Counts>, sign: 1 | -1 = 1): void {
  to.views += sign * add.views;
  to.carts += sign * add.carts;
  to.purchases += sign * add.purchases;
  to.returns += sign * add.returns;
  to.quantity = bounded(to.quantity + sign * add.quantity);
  to.revenue = bounded(to.revenue + sign * add.revenue);
}

function bounded(sum: number): number {
  return Math.max(-sumMax, Math.min(sumMax, sum));
}

export function isNothing({ views, carts, purchases, returns, quantity, revenue }: Readonly<Counts>): boolean {
  return views === 0 && carts === 0 && purchases === 0 && returns === 0 && quantity === 0 && revenue === 0;
}

export function monthKey(id: string, month: string): string {
  return `${id}/${month}`;
}

export function parseMonthKey(key: string): { readonly id: string; readonly month: string } {
  const slash = key.lastIndexOf('/');
  return { id: key.slice(0, slash), month: key.slice(slash + 1) };
}

/** UTC month and hour of a time; the last answer is kept, for the next event is nearly always of the same hour. */
export function utcHour(timestampMs: number): UtcHour {
  const startMs = timestampMs - (timestampMs % hourMs);
  if (startMs === lastHour.startMs) return lastHour;
  const date = new Date(startMs);
  // The greatest timestamps lie beyond what a Date can hold (the year 275760); they share its last hour.
  if (Number.isNaN(date.getTime())) return { startMs: dateEndMs, month: '275760-09', hour: 12 * 24 };
  const month = `${date.getUTCFullYear()}-${String(date.getUTCMonth() + 1).padStart(2, '0')}`;
  lastHour = { startMs, month, hour: 24 * (date.getUTCDate() - 1) + date.getUTCHours() };
  return lastHour;
}

export interface UtcHour {
  readonly startMs: number;
  /** `2010-12` */
  readonly month: string;
  readonly hour: number;
}

/** UTC start of an hour of a month. */
export function hourStartMs(month: string, hour: number): number {
  return month === '275760-09' ? dateEndMs : Date.parse(`${month}-01T00:00:00Z`) + hour * hourMs;
}

/** The months from that of one time to that of another, ascending. */
export function monthsBetween(fromMs: number, toMs: number): string[] {
  const months: string[] = [];
  const last = utcHour(toMs).month;
  for (let at = fromMs; ;) {
    const { month } = utcHour(at);
    months.push(month);
    if (month === last) return months;
    const date = new Date(at);
    at = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  }
}

/** The row of an hour, made when missing. Found from the end: events come nearly in order. */
export function hourOfMonth(month: MonthOfHours, hour: number): HourCounts {
  let at = month.length;
  while (at > 0 && month[at - 1]!.hour > hour) at -= 1;
  if (at > 0 && month[at - 1]!.hour === hour) return month[at - 1]!;
  const row = { hour, ...noCounts() };
  month.splice(at, 0, row);
  return row;
}

export const monthOfHoursSerde: Serde<MonthOfHours> = {
  name: 'month-of-hours',
  serialize(month) {
    writer.begin();
    for (const { hour, views, carts, purchases, returns, quantity, revenue } of month) {
      writer.varint(hour).varint(views).varint(carts).varint(purchases).varint(returns);
      writer.zigzag(quantity).zigzag(revenue);
    }
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('month-of-hours', bytes);
    const month: MonthOfHours = [];
    while (!reader.atEnd) {
      month.push({
        hour: reader.varint(),
        views: reader.varint(),
        carts: reader.varint(),
        purchases: reader.varint(),
        returns: reader.varint(),
        quantity: reader.zigzag(),
        revenue: reader.zigzag(),
      });
    }
    return month;
  },
  sizeOf: (month) => 64 + month.length * 90,
};

const hourMs = 3_600_000;
/** What zigzag can hold. */
const sumMax = 2 ** 52 - 1;
/** The last instant of a Date, 275760-09-13T00:00Z. */
const dateEndMs = 8.64e15;
const writer = new ByteWriter();
let lastHour: UtcHour = { startMs: -1, month: '', hour: 0 };
