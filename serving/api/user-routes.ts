import Type from 'typebox';
import { storeNames, type UserProfile } from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import { answers, AsOf, Id, List, ListQuery, NoQuery } from './answers.ts';
import type { Api, App } from './context.ts';
import { lookUp } from './look-up-route.ts';

const Profile = Type.Object({
  id: Type.String(),
  views: Type.Integer(),
  carts: Type.Integer(),
  purchases: Type.Integer(),
  returns: Type.Integer(),
  quantity: Type.Integer({ description: 'Bought less returned.' }),
  spend: Type.Integer({ description: 'Bought less returned, in 1/10,000 of the currency.' }),
  firstSeenMs: Type.Integer(),
  lastSeenMs: Type.Integer(),
  recent: Type.Array(
    Type.Object({ id: Type.String(), title: Type.Union([Type.String(), Type.Null()]), timestamp: Type.Integer() }),
    { description: 'The 20 products seen last, latest first.' },
  ),
  asOf: AsOf,
});

export function userRoutes(app: App, api: Api): void {
  const { onRequest, send } = lookUp(api);
  const tags = ['users'];

  app.get(
    '/v1/users/:id/profile',
    {
      schema: {
        tags,
        summary: 'What a user did',
        params: Id,
        querystring: NoQuery,
        response: answers(Profile, 400, 404, 503),
      },
    },
    async ({ params: { id } }) => {
      const { found, value, asOf } = await api.ask({ kind: 'get', store: storeNames.userProfiles, key: id });
      if (!found) throw new MillraceError('NOT_FOUND', `No event has named a user '${id}'.`, { userId: id });
      const { recent, ...profile } = value as UserProfile;
      return {
        id,
        ...profile,
        recent: recent.map(({ productId, timestamp }) => ({
          id: productId,
          title: api.lists.title(productId),
          timestamp,
        })),
        asOf,
      };
    },
  );

  app.get(
    '/v1/users/:id/recommendations',
    {
      onRequest,
      schema: {
        tags,
        summary: 'What a user may like',
        description: 'From the products seen last. An unknown user gets the best sellers, and `source` says so.',
        params: Id,
        querystring: ListQuery,
        response: answers(List, 400),
      },
    },
    (request, reply) => send(request, reply, api.lists.user(request.params.id, request.query)),
  );
}
