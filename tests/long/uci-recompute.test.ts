import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { marginalKey, type Recomputation, recomputeUci } from '../../models/recompute/index.ts';

/**
 * The recomputation of both years against sums taken over the text of the files, line by line and without SQL. It is
 * what everything else is measured by, so it is measured first.
 */
const files = [1, 2].map((year) =>
  fileURLToPath(new URL(`../../data/uci-online-retail/year-${year}.csv.br`, import.meta.url)),
);

interface Sums {
  events: number;
  purchases: number;
  returns: number;
  quantity: bigint;
  revenue: bigint;
  unusable: string[];
  users: Set<string>;
}

let state: Recomputation;
let sums: Sums;

beforeAll(async () => {
  state = await recomputeUci(files);
  sums = await sumOfLines();
}, 600_000);

test('all lines are read, and each is an event, a repeat of the other file, or unusable', () => {
  const { read, invalid, duplicates, accepted } = state.counts;
  expect(read).toBe(1_067_370);
  expect(invalid + duplicates + accepted).toBe(read);
  expect(accepted).toBe(sums.events);
});

test('the unusable lines are the ones a plain reading finds, by their line numbers', () => {
  expect(state.unusable.map(({ file, line }) => `${file}:${line}`)).toEqual(sums.unusable);
});

test('purchases, returns, pieces and money add up, over products and over their hours', () => {
  const { purchases, returns, quantity, revenue } = sums;
  for (const table of [state.productStats, state.productHours]) {
    const total = { purchases: 0, returns: 0, quantity: 0n, revenue: 0n };
    for (const row of table.values()) {
      total.purchases += Number(row.purchases);
      total.returns += Number(row.returns);
      total.quantity += BigInt(row.quantity);
      total.revenue += BigInt(row.revenue);
    }
    expect(total).toEqual({ purchases, returns, quantity, revenue });
  }
});

test('every user with an event has a profile', () => {
  expect(new Set(state.userProfiles.keys())).toEqual(sums.users);
});

test('pair counts are the same in both directions, and none is above the sessions of its items', () => {
  let different = 0;
  let above = 0;
  for (const item of state.pairs.items) {
    const sessions = Number(state.marginals.get(marginalKey('bought', item))?.sessions ?? 0);
    for (const { neighbour, count, weight } of state.pairs.rows('bought', item)) {
      const back = state.pairs.find('bought', neighbour, item);
      if (back === -1 || state.pairs.countAt(back) !== count) different += 1;
      if (Number(count) > sessions || Number(weight) > 1024 * Number(count)) above += 1;
    }
  }
  expect(state.pairs.size).toBeGreaterThan(4_000_000);
  expect([different, above]).toEqual([0, 0]);
});

async function sumOfLines(): Promise<Sums> {
  const found: Sums = {
    ...{ events: 0, purchases: 0, returns: 0, quantity: 0n, revenue: 0n },
    ...{ unusable: [], users: new Set() },
  };
  const standing = new Map<string, number>();
  for (const [at, file] of files.entries()) {
    const ordinals = new Map<string, number>();
    let lineNumber = 0;
    for await (const line of createInterface({ input: createReadStream(file).pipe(createBrotliDecompress()) })) {
      lineNumber += 1;
      if (lineNumber === 1) continue;
      // Only descriptions hold commas and quotes: two fields before them, five behind.
      const fields = line.split(',');
      const [quantity, , price, customer] = fields.slice(-5) as [string, string, string, string];
      const cancelled = line.startsWith('C');
      const pieces = Number(quantity);
      if ((cancelled ? pieces >= 0 : pieces <= 0) || price.startsWith('-')) {
        found.unusable.push(`${at + 1}:${lineNumber}`);
        continue;
      }
      const ordinal = (ordinals.get(line) ?? 0) + 1;
      ordinals.set(line, ordinal);
      if (ordinal <= (standing.get(line) ?? 0)) continue;
      found.events += 1;
      found[cancelled ? 'returns' : 'purchases'] += 1;
      found.quantity += BigInt(quantity);
      found.revenue += BigInt(quantity) * BigInt(Math.round(Number(price) * 10_000));
      if (customer !== '') found.users.add(customer.replace(/\.0$/, ''));
    }
    for (const [line, ordinal] of ordinals) standing.set(line, Math.max(ordinal, standing.get(line) ?? 0));
  }
  return found;
}
