import Type from 'typebox';
import { storeNames, type ProductStats } from '../../processors/index.ts';
import { MillraceError, validateProduct, isInvalidField, type Product } from '../../schemas/index.ts';
import { answers, Id, NoQuery } from './answers.ts';
import type { Api, App } from './context.ts';
import { productNotFound } from './http-errors.ts';
import { ingestRoute } from './ingest-route.ts';
import { productIntake } from './product-intake.ts';
import { RecordIntake } from './record-intake.ts';

const nullable = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>>(of: T) =>
  Type.Optional(Type.Union([of, Type.Null()]));
const money = (description: string) => nullable(Type.Integer({ minimum: 1, description }));

const fields = {
  title: nullable(Type.String({ minLength: 1, maxLength: 4096 })),
  category: nullable(Type.String({ minLength: 1, maxLength: 200, description: 'Name and id of the category.' })),
  price: money('In 1/10,000 of the currency: 25500 is 2.55.'),
  listPrice: money('Before discounts, as price.'),
  currency: nullable(Type.String({ pattern: '^[A-Z]{3}$' })),
  stars: nullable(Type.Integer({ minimum: 1, maximum: 500, description: 'Mean rating in 1/100 stars.' })),
  reviews: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
  bestSeller: Type.Optional(Type.Boolean({ default: false })),
  imageUrl: nullable(Type.String({ minLength: 1, maxLength: 4096 })),
  url: nullable(Type.String({ minLength: 1, maxLength: 4096 })),
  active: Type.Optional(Type.Boolean({ default: true, description: 'False: never recommended.' })),
  updatedAt: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'From when on it holds, ms since epoch; at most 5 minutes ahead. Left out: now.',
    }),
  ),
};
const id = Type.String({ minLength: 1, maxLength: 200 });

/** Documents the body; versions are checked one by one against the rules of schemas/product.ts, which say more. */
const Version = Type.Object({ id, ...fields }, { additionalProperties: false, title: 'Product' });
const VersionOfPath = Type.Object({ id: Type.Optional(id), ...fields }, { additionalProperties: false });

const Written = Type.Object({ id: Type.String(), updatedAt: Type.Integer() });

export function productIntakeRoutes(app: App, api: Api): void {
  const intake = new RecordIntake(api, productIntake(api.productSerde, api.partitions));
  const tags = ['products'];
  ingestRoute(app, api, intake, {
    url: '/v1/products',
    tag: 'products',
    summary: 'Take versions of products into the catalogue',
    description:
      'One product, an array of them, or one a line as application/x-ndjson, each whole. Answers when the log has them durably; look-ups show them when they are processed. A version older than the last one of its product is ignored, one that says the same changes nothing.',
    schema: Version,
  });

  app.put(
    '/v1/products/:id',
    {
      validatorCompiler: () => () => true,
      schema: {
        tags,
        summary: 'Set a product of the catalogue',
        description:
          'The whole product: a field that is left out has its default. Answers when the log has it durably.',
        params: Id,
        body: VersionOfPath,
        response: answers(Written, 400, 413, 415, 503),
      },
    },
    async ({ params, body }) => {
      const found: unknown = body;
      if (typeof found !== 'object' || found === null || Array.isArray(found)) {
        throw invalid('The body', 'wants a product as a JSON object');
      }
      const named = found as { readonly id?: unknown; readonly updatedAt?: unknown };
      if (named.id !== undefined && named.id !== params.id) {
        throw invalid(
          "Field 'id'",
          `wants to be left out or that of the path, '${params.id}', found ${JSON.stringify(named.id)}`,
        );
      }
      const updatedAt = named.updatedAt ?? Date.now();
      return await write({ ...named, id: params.id, updatedAt });
    },
  );

  app.delete(
    '/v1/products/:id',
    {
      schema: {
        tags,
        summary: 'Deactivate a product: never recommended again, until it is set to active',
        description: 'Its figures stay. What is known of it only from events may be deactivated too.',
        params: Id,
        querystring: NoQuery,
        response: answers(Written, 400, 404, 503),
      },
    },
    async ({ params }) => {
      const keys = [storeNames.products, storeNames.productStats].map((store) => ({ store, key: params.id }));
      const { values } = await api.ask({ kind: 'getMany', keys });
      const [product, stats] = values as [Product | null, ProductStats | null];
      if (product === null && stats === null) throw productNotFound(params.id);
      // Not before the last version, which may be a few minutes ahead of the clock.
      const updatedAt = Math.max(Date.now(), product?.updatedAt ?? 0);
      return await write({ ...product, id: params.id, active: false, updatedAt });
    },
  );

  async function write(version: object): Promise<{ id: string; updatedAt: number }> {
    const product = validateProduct(version, Date.now());
    const raw = Buffer.from(JSON.stringify(version));
    const candidate = { index: 0, value: version, raw: () => raw };
    const { rejected } = await intake.take([candidate], {
      release: api.ingestRoom.take(raw.length),
      idempotencyKey: undefined,
    });
    if (isInvalidField(product)) throw invalid(`Field '${product.field}'`, product.reason);
    if (rejected[0] !== undefined) throw invalid('The product', rejected[0].reason);
    return { id: product.id, updatedAt: product.updatedAt };
  }
}

function invalid(what: string, reason: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', `${what} ${reason}.`);
}
