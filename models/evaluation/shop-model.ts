import {
  addToTotals,
  emptyPairTotals,
  HeapStore,
  MemoryPairView,
  PairTables,
  Scorer,
  sessionStep,
  type Chunk,
  type PairStep,
} from '../../processors/index.ts';
import type { NextItemModel } from './next-item.ts';

/**
 * The shop's own recommender: trained by the session step and the packed rows that the topology runs, asked through the
 * scorer that serving asks. Only the stores differ: here they are Maps.
 */
export async function shopModel(sessions: readonly (readonly number[])[]): Promise<NextItemModel> {
  const items = new HeapStore<string, number>('pair-items');
  const names = new HeapStore<number, string>('pair-item-names');
  const marginals = new HeapStore<number, number>('marginals');
  const pairs = new HeapStore<number, Chunk>('pairs');
  const tables = new PairTables({ items, names, marginals, pairs }, () => true);
  const totals = emptyPairTotals();

  for (let from = 0; from < sessions.length; from += sessionsPerBatch) {
    const steps: PairStep[] = [];
    for (const session of sessions.slice(from, from + sessionsPerBatch)) {
      const ids = session.map(String);
      for (const [place, item] of ids.slice(0, sessionEventsMax).entries()) {
        const step = sessionStep(ids.slice(0, place), item);
        addToTotals(totals, step);
        steps.push({ relation: 'viewed', item, first: step.first, pairs: step.pairs });
      }
    }
    await tables.load(steps);
    for (const step of steps) tables.apply(step);
  }
  await tables.flush();

  const view = new MemoryPairView();
  for (const [id, number] of items.entries()) view.setItem(0, id, number);
  for (const [row, count] of marginals.entries()) view.setMarginal(0, row, count);
  for (const [key, chunk] of pairs.entries()) view.setChunk(0, key, chunk);
  view.setTotals(0, 'viewed', totals);

  const scorer = new Scorer(view);
  return {
    name: 'millrace session → items',
    next(seen, limit) {
      const newestFirst: number[] = [];
      for (let place = seen.length - 1; place >= 0; place -= 1) {
        const index = view.index(String(seen[place]!));
        if (index !== undefined) newestFirst.push(index);
      }
      return scorer.session(newestFirst, { limit, includeSeen: true }).map(({ item }) => Number(view.id(item)));
    },
  };
}

const sessionsPerBatch = 500;
const sessionEventsMax = 200;
