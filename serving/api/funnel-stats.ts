import Type from 'typebox';
import type { MonthOfFunnels } from '../../processors/index.ts';

const steps = {
  windows: Type.Integer({ description: 'Session windows with a view, cart or purchase in the category.' }),
  viewed: Type.Integer(),
  carted: Type.Integer(),
  purchased: Type.Integer(),
  viewedAndCarted: Type.Integer(),
  viewedCartedAndPurchased: Type.Integer(),
};

export const Funnel = Type.Object(
  {
    ...steps,
    viewToCart: Type.Union([Type.Number(), Type.Null()], {
      description: 'Of the windows that viewed, the share that put into the cart, 0..1; null without any.',
    }),
    cartToPurchase: Type.Union([Type.Number(), Type.Null()], {
      description: 'Of the windows that viewed and put into the cart, the share that purchased.',
    }),
    days: Type.Array(Type.Object({ start: Type.String({ description: '`2010-12-30`' }), ...steps })),
  },
  { description: 'By what was done in the category in one session window, under the UTC day on which it starts.' },
);

type Steps = { [Step in keyof typeof steps]: number };

/** Months of a category, as `[month, row]`, cut to the days `[fromDay, toDay)` since 1970-01-01. */
export function funnelStats(months: Iterable<readonly [string, MonthOfFunnels]>, fromDay: number, toDay: number) {
  const total = noSteps();
  const days: ({ start: string } & Steps)[] = [];
  for (const [month, rows] of months) {
    for (const { day, windows } of rows) {
      const start = `${month}-${String(day).padStart(2, '0')}`;
      const at = Date.parse(`${start}T00:00:00Z`) / 86_400_000;
      if (at < fromDay || at >= toDay) continue;
      const counts = noSteps();
      windows.forEach((count, bits) => addWindows(counts, bits + 1, count));
      windows.forEach((count, bits) => addWindows(total, bits + 1, count));
      days.push({ start, ...counts });
    }
  }
  const { viewed, viewedAndCarted, viewedCartedAndPurchased } = total;
  return {
    ...total,
    viewToCart: share(viewedAndCarted, viewed),
    cartToPurchase: share(viewedCartedAndPurchased, viewedAndCarted),
    days,
  };
}

/** `bits`: viewed 1, carted 2, purchased 4, added up. */
function addWindows(to: Steps, bits: number, windows: number): void {
  to.windows += windows;
  if ((bits & 1) !== 0) to.viewed += windows;
  if ((bits & 2) !== 0) to.carted += windows;
  if ((bits & 4) !== 0) to.purchased += windows;
  if ((bits & 3) === 3) to.viewedAndCarted += windows;
  if (bits === 7) to.viewedCartedAndPurchased += windows;
}

function noSteps(): Steps {
  return { windows: 0, viewed: 0, carted: 0, purchased: 0, viewedAndCarted: 0, viewedCartedAndPurchased: 0 };
}

function share(of: number, all: number): number | null {
  return all === 0 ? null : of / all;
}
