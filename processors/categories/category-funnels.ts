import type { Serde } from '../../schemas/index.ts';
import { ByteReader } from '../binary/byte-reader.ts';
import { ByteWriter } from '../binary/byte-writer.ts';
import type { FunnelChange } from './category-change.ts';

/**
 * The days of one UTC month on which session windows of a category start, ascending: the row of `category-funnels`
 * (docs/architecture/shop.md, "Session windows and the funnel").
 *
 *     key:    <category>/<yyyy-mm>
 *     bytes:  { day varint | windows varint × 7 } × days
 */
export type MonthOfFunnels = FunnelDay[];

export interface FunnelDay {
  /** Of the month, 1..31. */
  readonly day: number;
  /** Windows by what was done in them: viewed 1, carted 2, purchased 4, added up; at the sum less one. */
  readonly windows: number[];
}

/** A day without windows leaves the month. */
export function addToFunnel(month: MonthOfFunnels, { dayMs, bits, windows }: FunnelChange): void {
  const day = new Date(dayMs).getUTCDate();
  let at = month.findIndex((row) => row.day >= day);
  if (at < 0) at = month.length;
  if (month[at]?.day !== day) month.splice(at, 0, { day, windows: [0, 0, 0, 0, 0, 0, 0] });
  const row = month[at]!;
  row.windows[bits - 1]! += windows;
  if (row.windows.every((count) => count === 0)) month.splice(at, 1);
}

export const monthOfFunnelsSerde: Serde<MonthOfFunnels> = {
  name: 'month-of-funnels',
  serialize(month) {
    writer.begin();
    for (const { day, windows } of month) {
      writer.varint(day);
      for (const count of windows) writer.varint(count);
    }
    return writer.finish();
  },
  deserialize(bytes) {
    const reader = new ByteReader('month-of-funnels', bytes);
    const month: MonthOfFunnels = [];
    while (!reader.atEnd) {
      month.push({ day: reader.varint(), windows: Array.from({ length: 7 }, () => reader.varint()) });
    }
    return month;
  },
  sizeOf: (month) => 64 + month.length * 140,
};

const writer = new ByteWriter();
