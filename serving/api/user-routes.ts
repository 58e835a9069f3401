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

const Forgotten = Type.Object({
  id: Type.String(),
  events: Type.Integer({ description: 'Accepted events of the user that are gone; 0 for an unknown one.' }),
  deadLetters: Type.Integer({ description: 'Refused events of the user that are gone from the dead letters.' }),
});

export function userRoutes(app: App, api: Api): void {
  const { onRequest, answer } = lookUp(api);
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
      const titles = await api.view.readThrough(() => recent.map(({ productId }) => api.lists.title(productId)));
      return {
        id,
        ...profile,
        recent: recent.map(({ productId, timestamp }, at) => ({ id: productId, title: titles[at]!, timestamp })),
        asOf,
      };
    },
  );

  app.delete(
    '/v1/users/:id',
    {
      schema: {
        tags,
        summary: 'Forget a user as if never seen',
        description:
          'Every figure and list becomes what it would be had the events of this user not come, and the events leave the ' +
          'log. The topology stands still while the log is read; look-ups go on. Asking again changes nothing.',
        params: Id,
        querystring: NoQuery,
        response: answers(Forgotten, 400, 503),
      },
    },
    async ({ params: { id } }) => {
      // No deadline: it takes as long as the log is.
      const { events, deadLetters } = await api.host.request({ kind: 'eraseUsers', users: [id] });
      return { id, events, deadLetters };
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
    (request, reply) => answer(request, reply, () => api.lists.user(request.params.id, request.query)),
  );
}
