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
  /** `product-hours` or `category-hours`: a row holds a month, so a range reads as many rows as it touches months. */
  readonly store: string;
  readonly window: 'day' | 'hour';
  readonly asked: DayRange;
  readonly seen: { readonly firstSeenMs: number; readonly lastSeenMs: number };
}

export async function periodStats(api: Api, id: string, { store, window, asked, seen }: PeriodsAsked) {
  const from = asked.from ?? Math.floor(seen.firstSeenMs / dayMs);
  const to = Math.max(from, asked.to ?? Math.floor(seen.lastSeenMs / dayMs) + 1);
  const daysMax = daysMaxOf[window];
  if (to - from > daysMax) {
    const message = `Parameters 'from' and 'to' want at most ${daysMax} days between them for figures by ${window}, found ${to - from}.`;
    throw new MillraceError('INVALID_ARGUMENT', message, { field: 'to', daysMax });
  }
  const months = from === to ? [] : monthsBetween(from * dayMs, to * dayMs - 1);
  const keys = months.map((month) => ({ store, key: monthKey(id, month) }));
  const { values, asOf } = await api.ask({ kind: 'getMany', keys });
  const periods = new Map<string, Counts>();
  for (const [place, month] of months.entries()) {
    for (const { hour, ...counts } of (values[place] ?? []) as MonthOfHours) {
      const startMs = hourStartMs(month, hour);
      if (startMs < from * dayMs || startMs >= to * dayMs) continue;
      const start = window === 'day' ? isoDay(startMs / dayMs) : `${new Date(startMs).toISOString().slice(0, 16)}Z`;
      const period = periods.get(start);
      if (period === undefined) periods.set(start, { ...noCounts(), ...counts });
      else addCounts(period, counts);
    }
  }
  return {
    id,
    window,
    from: isoDay(from),
    to: isoDay(to),
    periods: [...periods].map(([start, counts]) => ({ start, ...counts })),
    asOf,
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
