import { Buffer } from 'node:buffer';
import {
  partitionForKey,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type Record,
} from '../../topology/index.ts';
import type { Chunk } from '../packed/chunk.ts';
import type { ChunkKey } from '../packed/chunk-key.ts';
import { storeNames } from '../store-names.ts';
import type { PairStep } from './pair-step.ts';
import { PairTables } from './pair-tables.ts';

/** Session steps → pair rows and marginals of the items that this partition owns. */
export class PairProcessor implements Processor<string, PairStep> {
  readonly #partitions: number;
  #tables!: PairTables;

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  init(context: ProcessorContext): void {
    this.#tables = new PairTables(
      {
        items: context.getStateStore<KeyValueStore<string, number>>(storeNames.pairItems),
        names: context.getStateStore<KeyValueStore<number, string>>(storeNames.pairItemNames),
        marginals: context.getStateStore<KeyValueStore<number, number>>(storeNames.marginals),
        pairs: context.getStateStore<KeyValueStore<ChunkKey, Chunk>>(storeNames.pairs),
      },
      (item) => partitionOfItem(item, this.#partitions) === context.partition,
    );
  }

  load(records: readonly Record<string, PairStep>[]): Promise<void> {
    return this.#tables.load(records.map(({ value }) => value));
  }

  process({ value }: Record<string, PairStep>): void {
    this.#tables.apply(value);
  }

  beforeCommit(): Promise<void> {
    return this.#tables.flush();
  }
}

/** The partition whose tables hold an item: that of a record with the item as its key. */
export function partitionOfItem(item: string, partitions: number): number {
  return partitions === 1 ? 0 : partitionForKey(Buffer.from(item, 'utf8'), partitions);
}

/** Where a step goes: to the partitions of all items in whose rows it has something to add, once each. */
export function partitionsOfStep({ relation, item, pairs }: PairStep, partitions: number): readonly number[] {
  if (partitions === 1) return onlyPartition;
  const owners = relation === 'viewed-bought' ? [] : [partitionOfItem(item, partitions)];
  for (let i = 0; i < pairs.length && owners.length < partitions; i += 1) {
    const owner = partitionOfItem(pairs[i]!.item, partitions);
    if (!owners.includes(owner)) owners.push(owner);
  }
  return owners;
}

const onlyPartition: readonly number[] = [0];
