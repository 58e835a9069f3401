import type { Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import { noCounts, readCounts, writeCounts, type Counts } from './counts.ts';

/**
 * The hours of one UTC month that had an event, ascending: the row of `product-hours` and `category-hours`. A day is the
 * sum of its hours.
 *
 *     key:    <id>/<yyyy-mm>    the month follows the last slash, whatever the id
 *     bytes:  { hour varint | counts } × hours
 */
export type MonthOfHours = HourCounts[];

export interface HourCounts extends Counts {
  /** Of the month: 24 · (day − 1) + hour of the day, 0..743. */
  readonly hour: number;
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
    for (const counts of month) {
      writer.varint(counts.hour);
      writeCounts(writer, counts);
    }
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('month-of-hours', bytes);
    const month: MonthOfHours = [];
    while (!reader.atEnd) month.push({ hour: reader.varint(), ...readCounts(reader) });
    return month;
  },
  sizeOf: (month) => 64 + month.length * 90,
};

const hourMs = 3_600_000;
/** The last instant of a Date, 275760-09-13T00:00Z. */
const dateEndMs = 8.64e15;
const writer = new ByteWriter();
let lastHour: UtcHour = { startMs: -1, month: '', hour: 0 };
