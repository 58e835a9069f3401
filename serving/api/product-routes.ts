import Type, { type TSchema } from 'typebox';
import {
  newProductStats,
  shownTitle,
  storeNames,
  type HyperLogLog,
  type ProductStats,
  type TitleCount,
} from '../../processors/index.ts';
import type { Product as CatalogueProduct } from '../../schemas/index.ts';
import { answers, AsOf, Id, List, listMax, ListQuery, NoQuery, SimilarQuery } from './answers.ts';
import type { Api, App } from './context.ts';
import { productNotFound } from './http-errors.ts';
import { lookUp } from './look-up-route.ts';
import { monthRows, PeriodQuery, periodsAsked, PeriodStats, periodStats, rangeOfDays } from './period-stats.ts';

const count = (description?: string) => Type.Integer(description === undefined ? {} : { description });

const nullable = (of: TSchema) => Type.Union([of, Type.Null()]);

const Product = Type.Object({
  id: Type.String(),
  title: nullable(Type.String()),
  category: nullable(Type.String()),
  price: nullable(Type.Integer({ description: 'In the catalogue, in 1/10,000 of the currency.' })),
  listPrice: nullable(Type.Integer()),
  currency: nullable(Type.String()),
  stars: nullable(Type.Integer({ description: 'Mean rating in 1/100 stars.' })),
  reviews: count(),
  bestSeller: Type.Boolean(),
  imageUrl: nullable(Type.String()),
  url: nullable(Type.String()),
  active: Type.Boolean({ description: 'False: no longer sold, never recommended.' }),
  updatedAt: nullable(Type.Integer({ description: 'Of the catalogue; null for a product that only events name.' })),
  service: Type.Boolean({ description: 'A charge such as postage: never recommended.' }),
  views: count(),
  carts: count(),
  purchases: count(),
  returns: count(),
  favorites: count(),
  removes: count(),
  ratings: count(),
  quantity: count('Bought less returned.'),
  revenue: count('Bought less returned, in 1/10,000 of the currency.'),
  users: count('Distinct users, estimated within about 2 %.'),
  firstSeenMs: nullable(Type.Integer({ description: 'null before the first event, as lastSeenMs.' })),
  lastSeenMs: nullable(Type.Integer()),
  asOf: AsOf,
});

type ProductRows = [
  ProductStats | null,
  TitleCount[] | null,
  ReturnType<HyperLogLog['toJSON']> | null,
  CatalogueProduct | null,
];

const Found = Type.Object({
  products: Type.Array(
    Type.Object({
      id: Type.String(),
      title: Type.String(),
      category: nullable(Type.String()),
      price: nullable(Type.Integer({ description: 'In the catalogue, in 1/10,000 of the currency.' })),
      active: Type.Boolean(),
      purchases: count(),
      views: count(),
    }),
    { description: 'By purchases, then views, both descending, then id.' },
  ),
  truncated: Type.Boolean({
    description:
      'True: the query fits more than one answer looks at; what is missing may rank higher than what is there.',
  }),
  asOf: AsOf,
});

export function productRoutes(app: App, api: Api): void {
  const { onRequest, answer } = lookUp(api);
  const tags = ['products'];

  app.get(
    '/v1/products',
    {
      schema: {
        tags,
        summary: 'Products by words of their titles',
        description:
          'All words must be in the title; of the last one its beginning is enough. Case and diacritics are nothing, ' +
          'single letters count at the end only.',
        querystring: Type.Object(
          {
            q: Type.String({ minLength: 1, maxLength: 200, description: '`red lam` finds a `Red Lamp`.' }),
            limit: Type.Integer({ minimum: 1, maximum: listMax, default: 20 }),
            inactive: Type.Boolean({ default: false, description: 'Also products that are no longer sold.' }),
          },
          { additionalProperties: false },
        ),
        response: answers(Found, 400, 503),
      },
    },
    ({ query: { q, limit, inactive } }) => api.ask({ kind: 'search', query: q, limit, inactive }),
  );

  app.get(
    '/v1/products/:id',
    {
      schema: {
        tags,
        summary: 'A product: what the catalogue says, and its totals',
        params: Id,
        querystring: NoQuery,
        response: answers(Product, 400, 404, 503),
      },
    },
    async ({ params: { id } }) => {
      const keys = [storeNames.productStats, storeNames.productTitles, storeNames.productUsers, storeNames.products];
      const { values, asOf } = await api.ask({ kind: 'getMany', keys: keys.map((store) => ({ store, key: id })) });
      const [stats, titles, users, product] = values as ProductRows;
      if (stats === null && product === null) throw productNotFound(id);
      const { trend: _, ...totals } = stats ?? newProductStats();
      const { firstSeenMs, lastSeenMs } = stats ?? { firstSeenMs: null, lastSeenMs: null };
      return {
        ...(product ?? unlisted),
        id,
        title: shownTitle(product, titles),
        ...totals,
        firstSeenMs,
        lastSeenMs,
        users: users?.uniqueUsers ?? 0,
        asOf,
      };
    },
  );

  app.get(
    '/v1/products/:id/similar',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Items like this one',
        description:
          "By the item's strongest relation, or the one that is asked for, named in `source`: what was bought, put into the " +
          'cart or viewed in the same sessions; `viewed-bought`: what was bought by those who had viewed the item.',
        params: Id,
        querystring: SimilarQuery,
        response: answers(List, 400, 404),
      },
    },
    (request, reply) =>
      answer(request, reply, () => found(api.lists.similar(request.params.id, request.query), request.params.id)),
  );

  app.get(
    '/v1/products/:id/bought-together',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Items bought in the same sessions, at least three times',
        params: Id,
        querystring: ListQuery,
        response: answers(List, 400, 404),
      },
    },
    (request, reply) =>
      answer(request, reply, () =>
        found(api.lists.boughtTogether(request.params.id, request.query), request.params.id),
      ),
  );

  app.get(
    '/v1/products/:id/stats',
    {
      schema: {
        tags,
        summary: 'Figures of a product by UTC day or hour',
        params: Id,
        querystring: PeriodQuery,
        response: answers(PeriodStats, 400, 404, 503),
      },
    },
    async ({ params: { id }, query: { window, from, to } }) => {
      const asked = rangeOfDays(from, to);
      const product = await api.ask({ kind: 'get', store: storeNames.productStats, key: id });
      if (!product.found) throw productNotFound(id);
      const seen = product.value as ProductStats;
      const periods = periodsAsked({ window, asked, seen });
      const { months } = periods;
      const { rows, asOf } = await monthRows(api, id, { stores: [storeNames.productHours], months });
      return { id, ...periodStats(periods, rows[0]!), asOf };
    },
  );
}

/** What the catalogue says of a product that it does not have. */
const unlisted = {
  category: null,
  price: null,
  listPrice: null,
  currency: null,
  stars: null,
  reviews: 0,
  bestSeller: false,
  imageUrl: null,
  url: null,
  active: true,
  updatedAt: null,
} as const;

function found(list: string | undefined, productId: string): string {
  if (list === undefined) throw productNotFound(productId);
  return list;
}
