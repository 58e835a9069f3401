import Type from 'typebox';
import { NoQuery } from './answers.ts';
import type { Api, App } from './context.ts';

const Ready = Type.Object({
  status: Type.Union([Type.Literal('ready'), Type.Literal('not-ready')]),
  reasons: Type.Array(Type.String()),
});

export function healthRoutes(app: App, api: Api): void {
  const tags = ['health'];

  app.get(
    '/health/live',
    {
      schema: {
        tags,
        summary: 'Whether the process answers',
        querystring: NoQuery,
        response: { 200: Type.Object({ status: Type.Literal('live') }) },
      },
    },
    () => ({ status: 'live' as const }),
  );

  app.get(
    '/health/ready',
    {
      schema: {
        tags,
        summary: 'Whether look-ups may be sent here, and why not',
        querystring: NoQuery,
        response: { 200: Ready, 503: Ready },
      },
    },
    async (_request, reply) => {
      const reasons = await reasonsAgainst(api);
      if (reasons.length === 0) return { status: 'ready' as const, reasons };
      return await reply.code(503).send({ status: 'not-ready' as const, reasons });
    },
  );

  app.get(
    '/metrics',
    { schema: { tags, summary: 'Metrics for Prometheus', produces: ['text/plain'], querystring: NoQuery } },
    async (_request, reply) => {
      const [lag, counters] = await Promise.all([api.ask({ kind: 'lag' }), api.ask({ kind: 'metrics' })]);
      api.metrics.topology(lag, counters);
      return await reply.type(api.metrics.registry.contentType).send(await api.metrics.registry.metrics());
    },
  );
}

async function reasonsAgainst({ ask, readiness }: Api): Promise<string[]> {
  try {
    readiness.look(await ask({ kind: 'lag' }));
    return readiness.reasons();
  } catch (error) {
    return [...readiness.reasons(), `The thread that owns the database does not answer: ${(error as Error).message}`];
  }
}
