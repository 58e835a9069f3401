import Type from 'typebox';
import { MillraceError } from '../../schemas/index.ts';
import type { GenerationFacts, ReplayStart } from '../host/messages.ts';
import { answers, AsOf, Failure, NoQuery } from './answers.ts';
import type { Api, App } from './context.ts';

const Nullable = <T extends Type.TSchema>(type: T) => Type.Union([type, Type.Null()]);

const Generation = Type.Object({
  id: Type.Integer(),
  state: Type.Union([Type.Literal('active'), Type.Literal('replaying'), Type.Literal('kept')], {
    description: '`active`: answers are about it; `replaying`: on its way to be; `kept`: to go back to.',
  }),
  parameters: Type.Object({
    pairPositions: Type.Integer(),
    sessionGapMs: Type.Integer(),
    dedupeHorizonMs: Type.Integer(),
  }),
  startOffsets: Type.Array(AsOf.items, {
    description: 'Where it began; a partition that is not named: at the beginning.',
  }),
  createdMs: Type.Integer({ description: '0: with the folder.' }),
  activatedMs: Nullable(Type.Integer()),
  activeFrom: Nullable(AsOf),
  progress: Nullable(
    Type.Object({
      processed: Type.Integer({ description: 'Records of the source topics.' }),
      total: Type.Integer(),
      recordsPerSecond: Type.Integer(),
      secondsLeft: Nullable(Type.Integer({ description: 'By the rate so far.' })),
      isHandingOver: Type.Boolean(),
      error: Nullable(Type.Object({}, { additionalProperties: true })),
    }),
  ),
});

/** A generation's number. */
const GenerationId = Type.Object({ id: Type.String({ pattern: '^[1-9][0-9]{0,14}$' }) });

const ReplayBody = Type.Object(
  {
    from: Type.Optional(
      Type.Union(
        [
          Type.Object({ timeMs: Type.Integer({ minimum: 0 }) }, { additionalProperties: false }),
          Type.Object(
            { offsets: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1, maxItems: 10_000 }) },
            { additionalProperties: false },
          ),
        ],
        {
          description:
            'Where to begin in `interactions`: the first records whose own time is not before `timeMs`, or an offset for all ' +
            'partitions or for each. Default: the beginning.',
        },
      ),
    ),
    trimmed: Type.Optional(Type.Boolean({ description: 'It is known that records before the start are gone.' })),
    parameters: Type.Optional(
      Type.Record(Type.String(), Type.Number(), { description: "Others than the active generation's." }),
    ),
  },
  { additionalProperties: false },
);

/** Generations of the state, and replays that make them (docs/architecture/replay.md). */
export function generationRoutes(app: App, api: Api): void {
  const tags = ['topology'];
  const accepted = (...failures: readonly number[]): Readonly<Record<number, Type.TSchema>> => ({
    202: Generation,
    ...Object.fromEntries(failures.map((status) => [status, Failure])),
  });

  app.post(
    '/v1/replays',
    {
      schema: {
        tags,
        summary: 'Build a generation anew from the source topics',
        description:
          'Beside the active one, which it replaces when it has caught up; `GET /v1/replays/{id}` tells how far it is. One at a time.',
        querystring: NoQuery,
        body: ReplayBody,
        response: accepted(400, 409, 413, 415, 503),
      },
    },
    async ({ body: { from, trimmed = false, parameters = {} } }, reply) => {
      const start: ReplayStart =
        from === undefined
          ? { kind: 'earliest' }
          : 'timeMs' in from
            ? { kind: 'time', timeMs: from.timeMs }
            : { kind: 'offsets', offsets: from.offsets };
      const generation = await api.host.request({ kind: 'replay', from: start, trimmed, parameters });
      return await reply.code(202).send(generation);
    },
  );

  app.get(
    '/v1/replays/:id',
    {
      schema: {
        tags,
        summary: 'How far a replay is',
        params: GenerationId,
        querystring: NoQuery,
        response: answers(Generation, 400, 404, 503),
      },
    },
    async ({ params: { id } }) => generationOf(await api.ask({ kind: 'generations' }), Number(id)),
  );

  app.get(
    '/v1/generations',
    {
      schema: {
        tags,
        summary: 'Generations of the state',
        querystring: NoQuery,
        response: answers(Type.Object({ generations: Type.Array(Generation) }), 400, 503),
      },
    },
    async () => ({ generations: await api.ask({ kind: 'generations' }) }),
  );

  app.post(
    '/v1/generations/:id/activate',
    {
      schema: {
        tags,
        summary: 'Bring a kept generation up to date and make it the active one',
        params: GenerationId,
        querystring: NoQuery,
        response: accepted(400, 404, 409, 503),
      },
    },
    async ({ params: { id } }, reply) =>
      await reply.code(202).send(await api.host.request({ kind: 'activate', generation: Number(id) })),
  );

  app.delete(
    '/v1/generations/:id',
    {
      schema: {
        tags,
        summary: 'Forget a generation that is not active',
        description: 'Its state and its own topics. One that replays is given up.',
        params: GenerationId,
        querystring: NoQuery,
        response: answers(Type.Object({ id: Type.Integer() }), 400, 404, 409, 503),
      },
    },
    async ({ params: { id } }) => {
      await api.host.request({ kind: 'prune', generation: Number(id) });
      return { id: Number(id) };
    },
  );
}

function generationOf(generations: readonly GenerationFacts[], id: number): GenerationFacts {
  const found = generations.find((generation) => generation.id === id);
  if (found !== undefined) return found;
  throw new MillraceError('NOT_FOUND', `There is no generation ${id}.`, { generation: id });
}
