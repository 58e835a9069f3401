import Type from 'typebox';
import { productDayKey, storeNames, type ProductMonth, type ProductStats } from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import { AsOf } from './answers.ts';
import type { Api } from './context.ts';

export const DayStats = Type.Object({
  id: Type.String(),
  window: Type.Literal('day'),
  from: Type.String({ description: 'First day of the range, UTC.' }),
  to: Type.String({ description: 'Day after the last: [from, to).' }),
  days: Type.Array(
    Type.Object({
      day: Type.String(),
      views: Type.Integer(),
      carts: Type.Integer(),
      purchases: Type.Integer(),
      returns: Type.Integer(),
      quantity: Type.Integer(),
      revenue: Type.Integer({ description: 'In 1/10,000 of the currency.' }),
    }),
    { description: 'Days with an event, ascending.' },
  ),
  asOf: AsOf,
});

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

/** One row of the store holds a product's month, so a range reads as many rows as it touches months. */
export async function dayStats(api: Api, id: string, of: { readonly asked: DayRange; readonly seen: ProductStats }) {
  const from = of.asked.from ?? Math.floor(of.seen.firstSeenMs / dayMs);
  const to = Math.max(from, of.asked.to ?? Math.floor(of.seen.lastSeenMs / dayMs) + 1);
  if (to - from > daysMax) {
    const message = `Parameters 'from' and 'to' want at most ${daysMax} days between them, found ${to - from}.`;
    throw new MillraceError('INVALID_ARGUMENT', message, { field: 'to', daysMax });
  }
  const months = monthsOf(from, to);
  const keys = months.map((month) => ({ store: storeNames.productDays, key: productDayKey(id, month) }));
  const { values, asOf } = await api.ask({ kind: 'getMany', keys });
  const days = months.flatMap((month, place) =>
    ((values[place] ?? []) as ProductMonth).map(({ day, ...figures }) => ({
      day: `${month}-${String(day).padStart(2, '0')}`,
      ...figures,
    })),
  );
  const [first, end] = [isoDay(from), isoDay(to)];
  return {
    id,
    window: 'day' as const,
    from: first,
    to: end,
    days: days.filter(({ day }) => day >= first && day < end),
    asOf,
  };
}

const dayMs = 86_400_000;
const daysMax = 3660;

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
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

function monthsOf(from: number, to: number): string[] {
  const months = new Set<string>();
  for (let day = from; day < to; day += 1) months.add(isoDay(day).slice(0, 7));
  return [...months];
}
