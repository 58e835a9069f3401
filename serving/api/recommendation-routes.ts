import Type from 'typebox';
import { answers, excludeMax, List, listMax } from './answers.ts';
import type { Api, App } from './context.ts';
import { json } from './look-up-route.ts';

const id = Type.String({ minLength: 1, maxLength: 200 });

const Session = Type.Object(
  {
    items: Type.Array(id, {
      maxItems: 200,
      description: 'Product ids of the session, oldest first. Unknown ones are passed over.',
    }),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: listMax, default: 20 })),
    exclude: Type.Optional(Type.Array(id, { maxItems: excludeMax })),
    includeSeen: Type.Optional(
      Type.Boolean({ default: false, description: 'Whether items of the session may be in the answer.' }),
    ),
  },
  { additionalProperties: false },
);

export function recommendationRoutes(app: App, api: Api): void {
  app.post(
    '/v1/recommendations',
    {
      schema: {
        tags: ['recommendations'],
        summary: 'What may come next in an anonymous session',
        body: Session,
        response: answers(List, 400, 413, 415),
      },
    },
    async ({ body: { items, limit = 20, exclude = [], includeSeen = false } }, reply) => {
      const text = await api.view.readThrough(() => api.lists.session(items, { limit, exclude, includeSeen }));
      return reply.header('content-type', json).send(text);
    },
  );
}
