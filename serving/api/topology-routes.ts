import Type from 'typebox';
import { answers, NoQuery } from './answers.ts';
import type { Api, App } from './context.ts';

const Lag = Type.Object({
  totalRecords: Type.Integer(),
  partitions: Type.Array(
    Type.Object({
      task: Type.String(),
      topic: Type.String(),
      partition: Type.Integer(),
      committedOffset: Type.Integer(),
      endOffset: Type.Integer(),
      lagRecords: Type.Integer(),
    }),
  ),
});

export function topologyRoutes(app: App, api: Api): void {
  const tags = ['topology'];

  app.get(
    '/v1/topology',
    {
      schema: {
        tags,
        summary: 'The graph that runs',
        description: "JSON; with `Accept: text/plain` the text of describe(), in Kafka Streams' format.",
        produces: ['application/json', 'text/plain'],
        querystring: NoQuery,
        response: answers(Type.Object({}, { additionalProperties: true }), 400, 503),
      },
    },
    async (request, reply) => {
      const { text, json } = await api.ask({ kind: 'topology' });
      void reply.header('vary', 'accept');
      if (!prefersText(request.headers.accept)) return json;
      return await reply.type('text/plain; charset=utf-8').send(text);
    },
  );

  app.get(
    '/v1/lag',
    {
      schema: {
        tags,
        summary: 'Records that wait to be processed',
        querystring: NoQuery,
        response: answers(Lag, 400, 503),
      },
    },
    async () => {
      const partitions = await api.ask({ kind: 'lag' });
      return { totalRecords: partitions.reduce((sum, { lagRecords }) => sum + lagRecords, 0), partitions };
    },
  );
}

/** Text when it is named before JSON, which is the default of everything else. */
function prefersText(accept = ''): boolean {
  const text = accept.indexOf('text/plain');
  const json = accept.indexOf('application/json');
  return text !== -1 && (json === -1 || text < json);
}
