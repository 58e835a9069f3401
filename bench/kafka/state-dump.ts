import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  compareState,
  readerOf,
  type Comparison,
  type EventRelation,
  type PairTotalsRow,
  type Recomputation,
  type SessionWindowRow,
  type StateReader,
} from '../../models/recompute/index.ts';

/**
 * Holds a final state against the recomputation, in the tables that are named, both ways. A peer writes it as NDJSON, a row a line:
 * first `store`, which says of which, then the fields of models/recompute/rows.ts. `pair-totals` may come once a partition, and all
 * windows of a session in one line, in `windows`.
 */
export async function compareDump(
  file: string,
  expected: Recomputation,
  names: readonly string[],
): Promise<Comparison> {
  // What a peer does not keep is compared with itself, and then left out of what is told.
  const {
    list: _list,
    bestSellers: _best,
    trending: _trending,
    categoryAffinity: _affinity,
    ...kept
  } = readerOf(expected);
  const comparison = await compareState(expected, { ...kept, ...readerOfDump(file) } satisfies StateReader);
  const tables = names.map((name) => {
    const table = comparison.tables.find((each) => each.name === name);
    if (table === undefined) throw new Error(`The recomputation has no table '${name}'`);
    return table;
  });
  return { tables, equal: tables.every(({ differing, missing, extra }) => differing + missing + extra === 0) };
}

function readerOfDump(file: string): Partial<StateReader> {
  const rows = <Row>(store: string) => linesOf<Row>(file, store);
  return {
    productStats: () => rows('product-stats'),
    productHours: () => rows('product-hours'),
    userProfiles: () => rows('user-profiles'),
    userProducts: () => rows('user-products'),
    sessionWindows: () => windows(rows('session-windows')),
    marginals: () => rows('marginals'),
    pairTotals: () => summed(rows('pair-totals')),
    pairRows: () => rows('pairs'),
  };
}

async function* linesOf<Row>(file: string, store: string): AsyncGenerator<Row> {
  const begin = `{"store":"${store}",`;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (line.startsWith(begin)) yield JSON.parse(line) as Awaited<Row>;
  }
}

async function* windows(
  rows: AsyncIterable<{ readonly windows: readonly SessionWindowRow[] }>,
): AsyncGenerator<SessionWindowRow> {
  for await (const { windows: of } of rows) yield* of;
}

async function* summed(rows: AsyncIterable<PairTotalsRow>): AsyncGenerator<PairTotalsRow> {
  const sums = new Map<EventRelation, PairTotalsRow>();
  for await (const { relation, sessions, rep, repN } of rows) {
    const before = sums.get(relation);
    sums.set(relation, {
      relation,
      sessions: Number(sessions) + Number(before?.sessions ?? 0),
      rep: rep.map((count, at) => Number(count) + Number(before?.rep[at] ?? 0)),
      repN: repN.map((count, at) => Number(count) + Number(before?.repN[at] ?? 0)),
    });
  }
  yield* sums.values();
}
