import Type from 'typebox';
import { storeNames, type UserProducts, type UserProfile } from '../../processors/index.ts';
import { MillraceError } from '../../schemas/index.ts';
import { userAffinity } from '../host/user-affinity.ts';
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
  affinity: Type.Array(Type.Object({ category: Type.String(), share: Type.Number({ minimum: 0, maximum: 1 }) }), {
    description:
      'The 10 categories of most interest, with their share of it: views, carts and purchases, decayed with a half-life of ' +
      '30 days, in the categories that products have now.',
  }),
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
      const keys = [storeNames.userProfiles, storeNames.userProducts].map((store) => ({ store, key: id }));
      const { values, asOf } = await api.ask({ kind: 'getMany', keys });
      const [known, products] = values as [UserProfile | null, UserProducts | null];
      if (known === null) throw new MillraceError('NOT_FOUND', `No event has named a user '${id}'.`, { userId: id });
      const { recent, ...profile } = known;
      const affinity = await userAffinity((request) => api.ask(request), products ?? []);
      const titles = await api.view.readThrough(() => recent.map(({ productId }) => api.lists.title(productId)));
      return {
        id,
        ...profile,
        recent: recent.map(({ productId, timestamp }, at) => ({ id: productId, title: titles[at]!, timestamp })),
        affinity,
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
