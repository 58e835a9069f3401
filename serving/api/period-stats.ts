import Type from 'typebox';
import {
  addCounts,
  hourStartMs,
  monthKey,
  monthsBetween,
  noCounts,
  type Counts,
  type MonthOfHours,
} from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import { AsOf } from './answers.ts';
import type { Api } from './context.ts';

/** Figures by UTC hour, or by day as the sums of its hours: of products and of categories. */
export const PeriodStats = Type.Object({
  id: Type.String(),
  window: Type.Union([Type.Literal('day'), Type.Literal('hour')]),
  from: Type.String({ description: 'First day of the range, UTC.' }),
  to: Type.String({ description: 'Day after the last: [from, to).' }),
  periods: Type.Array(
    Type.Object({
      start: Type.String({ description: '`2010-12-30`, or `2010-12-30T08:00Z` of an hour.' }),
      views: Type.Integer(),
      carts: Type.Integer(),
      purchases: Type.Integer(),
      returns: Type.Integer(),
      quantity: Type.Integer(),
      revenue: Type.Integer({ description: 'In 1/10,000 of the currency.' }),
    }),
    { description: 'Those with an event, ascending.' },
  ),
  asOf: AsOf,
});

export const PeriodQuery = Type.Object(
  {
    window: Type.Union([Type.Literal('day'), Type.Literal('hour')], { default: 'day' }),
    from: Type.Optional(Type.String({ description: 'First day, YYYY-MM-DD. Default: that of the first event.' })),
    to: Type.Optional(
      Type.String({ description: 'Day after the last, YYYY-MM-DD. Default: the one after the last event.' }),
    ),
  },
  { additionalProperties: false },
);

export interface DayRange {
  /** Days since 1970-01-01, [from, to). */
  readonly from: number | undefined;
  readonly to: number | undefined;
}

export function rangeOfDays(from: string | undefined, to: string | undefined): DayRange {
  const range = { from: dayNumber('from', from), to: dayNumber('to', to) };
  if (range.from !== undefined && range.to !== undefined && range.to < range.from) {
    throw new MillraceError('INVALID_ARGUMENT', `Parameter 'to' wants a day from ${from} on, found ${to}.`, {
      field: 'to',
    });
  }
  return range;
}

export interface PeriodsAsked {
  readonly window: 'day' | 'hour';
  readonly asked: DayRange;
  readonly seen: { readonly firstSeenMs: number; readonly lastSeenMs: number };
}

/** Days since 1970-01-01, [from, to), and the months that have them. */
export interface Periods {
  readonly window: 'day' | 'hour';
  readonly from: number;
  readonly to: number;
  readonly months: readonly string[];
}

export function periodsAsked({ window, asked, seen }: PeriodsAsked): Periods {
  const from = asked.from ?? Math.floor(seen.firstSeenMs / dayMs);
  const to = Math.max(from, asked.to ?? Math.floor(seen.lastSeenMs / dayMs) + 1);
  const daysMax = daysMaxOf[window];
  if (to - from > daysMax) {
    const message = `Parameters 'from' and 'to' want at most ${daysMax} days between them for figures by ${window}, found ${to - from}.`;
    throw new MillraceError('INVALID_ARGUMENT', message, { field: 'to', daysMax });
  }
  return { window, from, to, months: from === to ? [] : monthsBetween(from * dayMs, to * dayMs - 1) };
}

/** Rows of stores that keep months, as of one commit: by store, in the order of the months; null where there is none. */
export async function monthRows(api: Api, id: string, { stores, months }: MonthsAsked) {
  const keys = stores.flatMap((store) => months.map((month) => ({ store, key: monthKey(id, month) })));
  const { values, asOf } = await api.ask({ kind: 'getMany', keys });
  const rows = stores.map((_, at) => values.slice(at * months.length, (at + 1) * months.length));
  return { rows, asOf };
}

interface MonthsAsked {
  readonly stores: readonly string[];
  readonly months: readonly string[];
}

/** @param rows of `product-hours` or `category-hours`, one a month. */
export function periodStats({ window, from, to, months }: Periods, rows: readonly unknown[]) {
  const periods = new Map<string, Counts>();
  for (const [place, month] of months.entries()) {
    for (const { hour, ...counts } of (rows[place] ?? []) as MonthOfHours) {
      const startMs = hourStartMs(month, hour);
      if (startMs < from * dayMs || startMs >= to * dayMs) continue;
      const start = window === 'day' ? isoDay(startMs / dayMs) : `${new Date(startMs).toISOString().slice(0, 16)}Z`;
      const period = periods.get(start);
      if (period === undefined) periods.set(start, { ...noCounts(), ...counts });
      else addCounts(period, counts);
    }
  }
  return {
    window,
    from: isoDay(from),
    to: isoDay(to),
    periods: [...periods].map(([start, counts]) => ({ start, ...counts })),
  };
}

const dayMs = 86_400_000;
const daysMaxOf = { day: 3660, hour: 366 };

function dayNumber(field: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms) || isoDay(ms / dayMs) !== text) {
    throw new MillraceError('INVALID_ARGUMENT', `Parameter '${field}' wants a day as YYYY-MM-DD, found '${text}'.`, {
      field,
    });
  }
  return ms / dayMs;
}

function isoDay(day: number): string {
  return new Date(Math.floor(day) * dayMs).toISOString().slice(0, 10);
}
