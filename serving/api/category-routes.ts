import Type from 'typebox';
import {
  hourStartMs,
  parseMonthKey,
  shownTitle,
  storeNames,
  trendingIn,
  type CategoryTops,
  type MonthOfFunnels,
  type MonthOfHours,
  type TitleCount,
} from '../../processors/index.ts';
import { MillraceError, type Product } from '../../schemas/index.ts';
import { answers, AsOf, Id, listMax } from './answers.ts';
import type { Api, App } from './context.ts';
import { Funnel, funnelStats } from './funnel-stats.ts';
import { monthRows, PeriodQuery, periodsAsked, PeriodStats, periodStats, rangeOfDays } from './period-stats.ts';

const Trending = Type.Object({
  category: Type.Union([Type.String(), Type.Null()], { description: 'null: the whole shop.' }),
  items: Type.Array(
    Type.Object({
      id: Type.String(),
      title: Type.Union([Type.String(), Type.Null()]),
      price: Type.Union([Type.Integer(), Type.Null()], { description: 'In 1/10,000 of the currency.' }),
      score: Type.Number({ description: 'Interest of about a day over that of about two weeks.' }),
    }),
  ),
  asOf: AsOf,
});

const Categories = Type.Object({
  categories: Type.Array(
    Type.Object({
      id: Type.String(),
      products: Type.Integer({ description: 'That are in it now.' }),
      active: Type.Integer({ description: 'Of these, those still sold.' }),
    }),
  ),
  cursor: Type.Union([Type.String(), Type.Null()], { description: 'For the next page; null: this one is the last.' }),
  asOf: AsOf,
});

const CategoryStats = Type.Object({ ...PeriodStats.properties, funnel: Funnel });

export function categoryRoutes(app: App, api: Api): void {
  const tags = ['categories'];

  app.get(
    '/v1/trending',
    {
      schema: {
        tags,
        summary: 'What is of more interest now than it used to be',
        description: 'As of the newest event. Products that are no longer sold, and services, are left out.',
        querystring: Type.Object(
          {
            category: Type.Optional(
              Type.String({ minLength: 1, maxLength: 200, description: 'Default: the whole shop.' }),
            ),
            limit: Type.Integer({ minimum: 1, maximum: listMax, default: 20 }),
          },
          { additionalProperties: false },
        ),
        response: answers(Trending, 400, 404, 503),
      },
    },
    async ({ query: { category, limit } }) => {
      const of = category ?? '';
      const keys = ['', of].map((key) => ({ store: storeNames.categoryTops, key }));
      const { values, asOf } = await api.ask({ kind: 'getMany', keys });
      const [whole, tops] = values as (CategoryTops | null)[];
      if (tops === null && category !== undefined) throw categoryNotFound(category);
      const scored = trendingIn(of, tops, whole?.lastMs ?? 0).slice(0, limit);
      const shown = await shownProducts(
        api,
        scored.map(({ productId }) => productId),
      );
      const items = scored.map(({ productId, score }, at) => ({ id: productId, ...shown[at]!, score }));
      return { category: category ?? null, items, asOf };
    },
  );

  app.get(
    '/v1/categories',
    {
      schema: {
        tags,
        summary: 'Categories that products are in, page by page',
        querystring: Type.Object(
          {
            limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
            cursor: Type.Optional(Type.String({ maxLength: 4096, description: 'Of the page before.' })),
          },
          { additionalProperties: false },
        ),
        response: answers(Categories, 400, 503),
      },
    },
    async ({ query: { limit, cursor } }) => {
      const store = storeNames.categoryTops;
      // The first row in key order is the whole shop's, under the empty key.
      const asked = cursor === undefined ? limit + 1 : limit;
      const page = { from: null, to: null, prefix: null, limit: asked, cursor: cursor ?? null };
      const { rows, cursor: next, asOf } = await api.ask({ kind: 'range', store, ...page });
      const categories = rows
        .filter(({ key }) => key !== '')
        .map(({ key: id, value }) => {
          const { products, active } = value as CategoryTops;
          return { id, products, active };
        });
      return { categories, cursor: next, asOf };
    },
  );

  app.get(
    '/v1/categories/:id/stats',
    {
      schema: {
        tags,
        summary: 'Figures of a category by UTC day or hour, and its funnel by day',
        description: 'A product counts in the category that it had at the time.',
        params: Id,
        querystring: PeriodQuery,
        response: answers(CategoryStats, 400, 404, 503),
      },
    },
    async ({ params: { id }, query: { window, from, to } }) => {
      const asked = rangeOfDays(from, to);
      const seen = await seenHours(api, id);
      if (seen === undefined) throw categoryNotFound(id);
      const periods = periodsAsked({ window, asked, seen });
      const { from: fromDay, to: toDay, months } = periods;
      const { rows, asOf } = await monthRows(api, id, {
        stores: [storeNames.categoryHours, storeNames.categoryFunnels],
        months,
      });
      const [hours, funnels] = rows as [unknown[], (MonthOfFunnels | null)[]];
      const funnelRows = months.map((month, at) => [month, funnels[at] ?? []] as const);
      return { id, ...periodStats(periods, hours), funnel: funnelStats(funnelRows, fromDay, toDay), asOf };
    },
  );
}

/** What a list shows of products, looked up when it is read. */
async function shownProducts(api: Api, ids: readonly string[]) {
  if (ids.length === 0) return [];
  const keys = [storeNames.products, storeNames.productTitles].flatMap((store) => ids.map((key) => ({ store, key })));
  const { values } = await api.ask({ kind: 'getMany', keys });
  return ids.map((_, at) => {
    const product = values[at] as Product | null;
    const titles = values[ids.length + at] as TitleCount[] | null;
    return { title: shownTitle(product, titles), price: product?.price ?? null };
  });
}

/** From the first to the last hour of a category that had an event; of one without any, the hour of the epoch. */
async function seenHours(api: Api, id: string) {
  const store = storeNames.categoryHours;
  const bounds = { from: null, to: null, prefix: `${id}/`, limit: 1000 };
  let first: number | undefined;
  let last = 0;
  for (let cursor: string | null = null; ;) {
    const page: Awaited<ReturnType<typeof api.ask<'range'>>> = await api.ask({
      kind: 'range',
      store,
      ...bounds,
      cursor,
    });
    for (const { key, value } of page.rows) {
      const row = parseMonthKey(key);
      const hours = value as MonthOfHours;
      // Another category's id may begin with this one and a slash.
      if (row.id !== id || hours.length === 0) continue;
      first ??= hourStartMs(row.month, hours[0]!.hour);
      last = hourStartMs(row.month, hours.at(-1)!.hour);
    }
    cursor = page.cursor;
    if (cursor === null) break;
  }
  if (first !== undefined) return { firstSeenMs: first, lastSeenMs: last };
  const { found } = await api.ask({ kind: 'get', store: storeNames.categoryTops, key: id });
  return found ? { firstSeenMs: 0, lastSeenMs: 0 } : undefined;
}

function categoryNotFound(category: string): MillraceError {
  return new MillraceError('NOT_FOUND', `No product is, or was seen, in a category '${category}'.`, { category });
}
