import Type from 'typebox';
import { MillraceError } from '../../schemas/index.ts';
import { answers, AsOf, NoQuery } from './answers.ts';
import type { Answers } from '../host/messages.ts';
import type { Query, QueryOf } from '../host/store-reader.ts';
import type { Api, App } from './context.ts';
import { instantRange } from './instant-range.ts';

const Store = Type.Object({
  name: Type.String(),
  kind: Type.String(),
  partitions: Type.Integer(),
  keySerde: Type.String(),
  valueSerde: Type.String(),
  subtopology: Type.Integer(),
  cachedBytes: Type.Integer(),
  dirtyBytes: Type.Integer(),
  restoring: Type.Array(
    Type.Object({
      partition: Type.Integer(),
      records: Type.Integer(),
      recordsMax: Type.Integer({ description: 'At most, from the beginning to the end.' }),
      recordsPerSecond: Type.Integer(),
      remainingMs: Type.Union([Type.Number(), Type.Null()]),
      full: Type.Boolean({ description: 'From the beginning: what was here was of no use.' }),
    }),
    { description: 'On a cluster: partitions whose state is being restored from their changelog here.' },
  ),
});

/** Where `stale=ok` was said. */
const Stale = Type.Optional(
  Type.Object(
    {
      lagRecords: Type.Union([Type.Integer(), Type.Null()], {
        description: 'What the furthest behind of the standbys that answered lacks of its changelogs; null: not known.',
      }),
    },
    { description: 'With `stale=ok`, where a standby has answered.' },
  ),
);

const StaleParameter = Type.Optional(
  Type.Literal('ok', { description: 'On a cluster: a standby may answer while a task changes hands.' }),
);

const KeyQuery = Type.Object({ stale: StaleParameter }, { additionalProperties: false });

const Row = Type.Object({
  store: Type.String(),
  key: Type.String(),
  partition: Type.Integer(),
  value: Type.Unknown(),
  asOf: AsOf,
  stale: Stale,
});

const KeyText = Type.Optional(Type.String({ maxLength: 4096 }));

const RangeQuery = Type.Object(
  {
    from: KeyText,
    to: KeyText,
    prefix: KeyText,
    limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
    cursor: Type.Optional(Type.String({ maxLength: 8192, description: 'Of the page before.' })),
    stale: StaleParameter,
  },
  { additionalProperties: false },
);

const Page = Type.Object({
  store: Type.String(),
  rows: Type.Array(
    Type.Object({
      key: Type.String(),
      windowStartMs: Type.Optional(Type.Integer()),
      partition: Type.Integer(),
      value: Type.Unknown(),
    }),
  ),
  cursor: Type.Union([Type.String(), Type.Null()], { description: 'null: there is no more.' }),
  asOf: AsOf,
  stale: Stale,
});

const Windows = Type.Object({
  store: Type.String(),
  key: Type.String(),
  partition: Type.Integer(),
  windows: Type.Array(
    Type.Object({
      startMs: Type.Integer(),
      endMs: Type.Integer({
        description: 'Of a session window the time of its last event, of an hour or day that of the next one.',
      }),
      value: Type.Unknown(),
    }),
    { description: 'Ascending in time.' },
  ),
  asOf: AsOf,
  stale: Stale,
});

const Instant = (description: string) => Type.Optional(Type.String({ maxLength: 40, description }));

const WindowsQuery = Type.Object(
  {
    from: Instant('A day, `2010-12-30`, or a time, `2010-12-30T08:00Z`, UTC; inclusive. Default: the first window.'),
    to: Instant('Likewise; exclusive. Default: behind the last window.'),
    stale: StaleParameter,
  },
  { additionalProperties: false },
);

export function storeRoutes(app: App, api: Api): void {
  const tags = ['stores'];

  app.get(
    '/v1/stores',
    {
      schema: {
        tags,
        summary: 'State stores',
        querystring: NoQuery,
        response: answers(Type.Object({ stores: Type.Array(Store) }), 400, 503),
      },
    },
    async () => ({ stores: await api.ask({ kind: 'stores' }) }),
  );

  app.get(
    '/v1/stores/:name/keys/:key',
    {
      schema: {
        tags,
        summary: 'A row of a store',
        description: 'The key as it is where keys are strings, as JSON where they are anything else.',
        params: Type.Object({ name: Type.String(), key: Type.String() }),
        querystring: KeyQuery,
        response: answers(Row, 400, 404, 503),
      },
    },
    async ({ params: { name, key }, query: { stale: allowed } }) => {
      const { answer, stale } = await asked<'get'>(api, { kind: 'get', store: name, key }, allowed);
      const { found, partition, value, asOf } = answer;
      if (!found) throw new MillraceError('NOT_FOUND', `Store '${name}' has no key '${key}'.`, { store: name, key });
      return { store: name, key, partition, value, asOf, ...stale };
    },
  );

  app.get(
    '/v1/stores/:name/range',
    {
      schema: {
        tags,
        summary: 'Rows of a store, in key order',
        description:
          'All rows, those of [from, to), or those whose key begins with `prefix`; text keys in the order of their UTF-8 bytes. A page is of one commit; `cursor` leads to the next one.',
        params: Type.Object({ name: Type.String() }),
        querystring: RangeQuery,
        response: answers(Page, 400, 404, 503),
      },
    },
    async ({ params: { name }, query: { from, to, prefix, limit, cursor, stale: allowed } }) => {
      const bounds = { from: from ?? null, to: to ?? null, prefix: prefix ?? null, cursor: cursor ?? null };
      const range = { kind: 'range', store: name, ...bounds, limit } as const;
      const { answer, stale } = await asked<'range'>(api, range, allowed);
      return { store: name, ...answer, ...stale };
    },
  );

  app.get(
    '/v1/stores/:name/windows/:key',
    {
      schema: {
        tags,
        summary: 'Windows or periods of a key',
        description:
          'Those that overlap [from, to): session windows of a session key in `session-windows`; hours of an id in ' +
          '`product-hours` and `category-hours`, days in `category-funnels`, whatever months their rows are of. At most ' +
          '10,000, of one commit.',
        params: Type.Object({ name: Type.String(), key: Type.String() }),
        querystring: WindowsQuery,
        response: answers(Windows, 400, 404, 503),
      },
    },
    async ({ params: { name, key }, query: { from, to, stale: allowed } }) => {
      const windows = { kind: 'windows', store: name, key, ...instantRange(from, to) } as const;
      const { answer, stale } = await asked<'windows'>(api, windows, allowed);
      const { found, asOf } = answer;
      if (found === null) {
        throw new MillraceError('NOT_FOUND', `Store '${name}' has no windows of '${key}'.`, { store: name, key });
      }
      return { store: name, key, ...found, asOf, ...stale };
    },
  );
}

/** The answer; with `stale=ok`, where standbys gave a part of it, how far they are behind. */
async function asked<K extends Query['kind']>(api: Api, query: QueryOf<K>, allowed: 'ok' | undefined) {
  if (allowed === undefined) return { answer: (await api.ask(query)) as Answers[K] };
  const { answer, standbys } = await api.ask({ kind: 'askStale', query });
  if (standbys.length === 0) return { answer: answer as Answers[K] };
  const lags = standbys.map(({ lagRecords }) => lagRecords);
  const lagRecords = lags.includes(null) ? null : Math.max(...(lags as number[]));
  return { answer: answer as Answers[K], stale: { stale: { lagRecords } } };
}
