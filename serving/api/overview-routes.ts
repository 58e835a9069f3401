import Type from 'typebox';
import { answers, AsOf, NoQuery } from './answers.ts';
import type { LookupView } from '../view/lookup-view.ts';
import type { Api, App } from './context.ts';

const Overview = Type.Object({
  events: Type.Integer({ description: 'Source records that look-ups reflect.' }),
  eventsPerSecond: Type.Number({ description: 'Over the last five seconds.' }),
  lagRecords: Type.Integer(),
  items: Type.Integer({ description: 'Products in the catalogue or with an event.' }),
  ready: Type.Boolean(),
  reasons: Type.Array(Type.String()),
  bestSellers: Type.Array(
    Type.Object({ id: Type.String(), title: Type.Union([Type.String(), Type.Null()]), purchases: Type.Integer() }),
  ),
  committedAtMs: Type.Number({ description: 'When what look-ups reflect was committed.' }),
  memory: Type.Record(Type.String(), Type.Integer(), {
    description: 'How the bound on memory is divided, in bytes (docs/architecture/memory.md).',
  }),
  asOf: AsOf,
});

/** What the page at / shows. However many pages are open, the host thread is asked at most four times a second. */
export function overviewRoutes(app: App, api: Api): void {
  const { view, rate, readiness } = api;
  let lag: { readonly atMs: number; readonly records: Promise<number> } | undefined;

  async function lagRecords(): Promise<number> {
    const partitions = await api.ask({ kind: 'lag' });
    readiness.look(partitions);
    return partitions.reduce((sum, of) => sum + of.lagRecords, 0);
  }

  app.get(
    '/v1/overview',
    {
      schema: {
        tags: ['topology'],
        summary: 'Counters, rates and best sellers',
        querystring: NoQuery,
        response: answers(Overview, 400, 503),
      },
    },
    async () => {
      const nowMs = Date.now();
      if (lag === undefined || nowMs - lag.atMs >= lagForMs) lag = { atMs: nowMs, records: lagRecords() };
      const records = await lag.records;
      const reasons = readiness.reasons();
      const tops = await view.readThrough(() => topsOf(view));
      return {
        events: rate.events,
        eventsPerSecond: Math.round(rate.perSecond(nowMs) * 10) / 10,
        lagRecords: records,
        items: tops.products,
        ready: reasons.length === 0,
        reasons,
        bestSellers: tops.bestSellers,
        committedAtMs: view.committedAtMs,
        memory: api.memory,
        asOf: view.asOf,
      };
    },
  );
}

function topsOf(view: LookupView) {
  const tops = view.tops('');
  const bestSellers = (tops?.bestSellers.entries ?? []).slice(0, 10).map(({ productId: id, purchases }) => {
    const item = view.product(id);
    return { id, title: item === undefined ? null : view.title(item), purchases };
  });
  return { products: tops?.products ?? 0, bestSellers };
}

const lagForMs = 250;
