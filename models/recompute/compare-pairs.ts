import { Tally, type TableComparison } from './comparison.ts';
import type { PairTable } from './pair-table.ts';
import { type PairRow, relations, type Rows } from './rows.ts';
import { sameInteger } from './same.ts';

/** Pair rows in any order against the table; a flag a row tells what has been seen. */
export async function comparePairs(expected: PairTable, actual: Rows<PairRow>): Promise<TableComparison> {
  const tally = new Tally('pairs', expected.size);
  const seen = new Uint8Array(expected.size);
  for await (const row of actual) {
    const at = expected.find(row.relation, row.item, row.neighbour);
    if (at === -1) tally.extra(pairKey(row), { weight: row.weight, count: row.count });
    else if (seen[at] === 1)
      tally.extra(pairKey(row), { weight: row.weight, count: row.count }, 'one row with this key');
    else {
      seen[at] = 1;
      const [weight, count] = [expected.weightAt(at), expected.countAt(at)];
      const same = sameInteger(weight, row.weight) && sameInteger(count, row.count);
      tally.both(
        same ? '' : pairKey(row),
        same ? null : { expected: sides(weight, count), actual: sides(row.weight, row.count) },
      );
    }
  }
  for (const relation of relations) {
    for (const item of expected.items) {
      const { from, to } = expected.range(relation, item);
      for (let at = from; at < to; at++) {
        if (seen[at] === 1) continue;
        const [weight, count] = [expected.weightAt(at), expected.countAt(at)];
        tally.missing(pairKey({ relation, item, neighbour: expected.neighbourAt(at) }), { weight, count });
      }
    }
  }
  return tally.result();
}

function pairKey({ relation, item, neighbour }: Pick<PairRow, 'relation' | 'item' | 'neighbour'>): string {
  return `${relation} ${item} → ${neighbour}`;
}

function sides(weight: PairRow['weight'], count: PairRow['count']): string {
  return `{"weight":${weight},"count":${count}}`;
}
