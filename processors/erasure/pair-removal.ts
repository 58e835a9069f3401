import type { KeyValueStore } from '../../topology/index.ts';
import type { Chunk } from '../packed/chunk.ts';
import type { ChunkKey } from '../packed/chunk-key.ts';
import { PackedRows } from '../packed/packed-rows.ts';
import { partitionOfItem } from '../pairs/pair-processor.ts';
import { pairRow } from '../pairs/pair-row.ts';
import type { PairStep } from '../pairs/pair-step.ts';
import { pairHash } from '../pairs/pair-tables.ts';
import { relationCode, type Relation } from '../pairs/relation.ts';

/**
 * Takes off the pair tables what steps have added to them. Sessions give pairs independently of each other and sums don't
 * depend on order, so the steps of a session can be taken off whenever it is known which they were.
 */
export class PairRemoval {
  readonly #rows = new Map<string, RowRemoval>();

  add(steps: readonly PairStep[]): void {
    for (const { relation, item, first, pairs } of steps) {
      if (first) this.#of(relation, item).sessions += 1;
      for (const { item: other, forward, back, count } of pairs) {
        addEntry(this.#of(relation, other), item, forward, count);
        if (relation !== 'viewed-bought') addEntry(this.#of(relation, item), other, back, count);
      }
    }
  }

  /** Each row is taken off in the tables of the partition that owns its item. */
  async apply(tablesOf: (partition: number) => PairTableStores, partitions: number): Promise<void> {
    const owned = Array.from({ length: partitions }, (): RowRemoval[] => []);
    for (const row of this.#rows.values()) owned[partitionOfItem(row.item, partitions)]!.push(row);
    for (const [partition, rows] of owned.entries()) {
      for (let from = 0; from < rows.length; from += rowsAtOnce) {
        await removeFrom(tablesOf(partition), rows.slice(from, from + rowsAtOnce));
      }
    }
  }

  #of(relation: Relation, item: string): RowRemoval {
    const key = `${relation} ${item}`;
    let row = this.#rows.get(key);
    if (row === undefined) this.#rows.set(key, (row = { relation, item, sessions: 0, entries: new Map() }));
    return row;
  }
}

export interface PairTableStores {
  readonly items: KeyValueStore<string, number>;
  readonly marginals: KeyValueStore<number, number>;
  readonly pairs: KeyValueStore<ChunkKey, Chunk>;
}

interface RowRemoval {
  readonly relation: Relation;
  readonly item: string;
  /** Of the marginal. */
  sessions: number;
  readonly entries: Map<string, { weight: number; count: number }>;
}

function addEntry({ entries }: RowRemoval, neighbour: string, weight: number, count: number): void {
  const entry = entries.get(neighbour);
  if (entry === undefined) entries.set(neighbour, { weight, count });
  else {
    entry.weight += weight;
    entry.count += count;
  }
}

async function removeFrom({ items, marginals, pairs }: PairTableStores, rows: readonly RowRemoval[]): Promise<void> {
  await items.load(rows.flatMap(({ item, entries }) => [item, ...entries.keys()]));
  const numberOf = (item: string): number => items.getLoaded(item)!;
  const keys = rows.map(({ item, relation }) => pairRow(numberOf(item), relationCode(relation)));
  await marginals.load(keys);
  const packed = new PackedRows(pairs, { hashOf: pairHash });
  packed.begin();
  const opened = keys.map((key) => packed.open(key));
  await packed.loadHeads();
  for (const [at, { entries }] of rows.entries()) {
    for (const neighbour of entries.keys()) opened[at]!.want(pairHash(numberOf(neighbour)));
  }
  await packed.loadChunks();
  for (const [at, { sessions, entries }] of rows.entries()) {
    for (const [neighbour, { weight, count }] of entries) {
      const number = numberOf(neighbour);
      opened[at]!.subtract(number, pairHash(number), weight, count);
    }
    if (sessions === 0) continue;
    const left = (marginals.getLoaded(keys[at]!) ?? 0) - sessions;
    if (left === 0) marginals.delete(keys[at]!);
    else marginals.put(keys[at]!, left);
  }
}

/** Rows whose chunks are held at once. */
const rowsAtOnce = 1_000;
