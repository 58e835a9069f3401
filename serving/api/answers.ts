import Type, { type TSchema } from 'typebox';
import { relations } from '../../processors/index.ts';
import { fallbackSources } from '../lists/fallbacks.ts';

/** Shapes that several answers share. Serialising does not go by them: they make the OpenAPI page, and tests hold answers to them. */
export const AsOf = Type.Array(
  Type.Object({ topic: Type.String(), partition: Type.Integer(), offset: Type.Integer() }),
  { description: 'The source offsets the answer reflects: everything before them, nothing after.' },
);

export const Reason = Type.Object(
  {
    kind: Type.Union(
      [
        'bought-with',
        'carted-with',
        'viewed-with',
        'bought-after-viewing',
        'because-of',
        'seen-before',
        'trending',
        'best-seller',
      ].map((kind) => Type.Literal(kind)),
    ),
    item: Type.Optional(Type.String({ description: 'The item that led to this one.' })),
    count: Type.Optional(
      Type.Integer({ description: 'Sessions that held both items; of a best seller, its purchases.' }),
    ),
  },
  { additionalProperties: false },
);

export const List = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          title: Type.Union([Type.String(), Type.Null()]),
          score: Type.Number({ description: 'Compares only between items whose reasons are of one kind.' }),
          reason: Reason,
          source: Type.Optional(
            Type.Union(
              ['session', 'user', ...fallbackSources].map((source) => Type.Literal(source)),
              { description: 'Of lists for a session or a user: what led to this item.' },
            ),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    source: Type.Union(
      [...relations, 'none', 'session', 'user', ...fallbackSources].map((source) => Type.Literal(source)),
      {
        description:
          'What the list, or its first item, was made from; `trending` or `best-sellers` when nothing is known of the user or session.',
      },
    ),
    asOf: AsOf,
  },
  { additionalProperties: false },
);

export const Failure = Type.Object(
  {
    error: Type.Object({
      code: Type.String({ description: 'Stable; docs/errors.md says what to do about each.' }),
      message: Type.String(),
      details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    }),
  },
  { title: 'Error' },
);

export const listMax = 100;
export const excludeMax = 200;

export const ListQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: listMax, default: 20 }),
    exclude: Type.Array(Type.String({ maxLength: 200 }), {
      maxItems: excludeMax,
      default: [],
      description: 'Product ids to leave out: a list with commas, or the name repeated.',
    }),
  },
  { additionalProperties: false },
);

export const NoQuery = Type.Object({}, { additionalProperties: false });

export const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }) });

export const SimilarQuery = Type.Object(
  {
    ...ListQuery.properties,
    relation: Type.Optional(
      Type.Union(
        relations.map((relation) => Type.Literal(relation)),
        { description: "By this relation alone. Default: the item's strongest of viewed, cart and bought." },
      ),
    ),
  },
  { additionalProperties: false },
);

/** A route's answers: the good one, and the failures that it can give. */
export function answers(ok: TSchema, ...failures: readonly number[]): Readonly<Record<number, TSchema>> {
  return { 200: ok, ...Object.fromEntries(failures.map((status) => [status, Failure])) };
}
