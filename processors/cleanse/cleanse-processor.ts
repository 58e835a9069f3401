import {
  isInvalidField,
  MillraceError,
  validateInteraction,
  type Interaction,
  type InvalidField,
} from '../../schemas/index.ts';
import type { KeyValueStore, Processor, ProcessorContext, Record } from '../../topology/index.ts';
import type { Chunk } from '../packed/chunk.ts';
import type { ChunkKey } from '../packed/chunk-key.ts';
import { storeNames } from '../store-names.ts';
import { eventIdentity } from './event-identity.ts';
import { EventsSeen } from './events-seen.ts';

/**
 * Raw interactions → clean ones: what is invalid throws `INVALID_EVENT` naming the field, so that the processing handler
 * puts it to the dead letters; a duplicate is counted and goes nowhere; the rest is forwarded unchanged.
 */
export class CleanseProcessor implements Processor<string, Interaction, string, Interaction> {
  readonly #horizonMs: number;
  #context!: ProcessorContext<string, Interaction>;
  #counters!: KeyValueStore<string, number>;
  #seen!: EventsSeen;
  #invalid: (InvalidField | undefined)[] = [];
  #next = 0;

  constructor(dedupeHorizonMs: number) {
    this.#horizonMs = dedupeHorizonMs;
  }

  init(context: ProcessorContext<string, Interaction>): void {
    this.#context = context;
    this.#counters = context.getStateStore(storeNames.cleanseCounters);
    this.#seen = new EventsSeen(
      context.getStateStore<KeyValueStore<ChunkKey, Chunk>>(storeNames.eventsSeen),
      this.#horizonMs,
    );
  }

  async load(records: readonly Record<string, Interaction>[]): Promise<void> {
    this.#invalid = records.map(({ value }) => invalidInteraction(value));
    this.#next = 0;
    const valid = records
      .filter((_record, at) => this.#invalid[at] === undefined)
      .map(({ value }) => ({ identity: eventIdentity(value), timestamp: value.timestamp }));
    await Promise.all([this.#counters.load(cleanseCounters), this.#seen.load(valid)]);
  }

  process(record: Record<string, Interaction>): void {
    const invalid = this.#invalid[this.#next];
    this.#next += 1;
    if (invalid !== undefined) {
      this.#count('invalid');
      throw new MillraceError('INVALID_EVENT', `Field '${invalid.field}' of an interaction ${invalid.reason}`, {
        field: invalid.field,
      });
    }
    if (!this.#seen.accept(record.value.timestamp)) {
      this.#count('duplicates');
      return;
    }
    this.#count('accepted');
    this.#context.forward(record);
  }

  #count(counter: CleanseCounter): void {
    this.#counters.put(counter, (this.#counters.getLoaded(counter) ?? 0) + 1);
  }
}

/** Keys of the store `cleanse-counters`. */
export const cleanseCounters = ['accepted', 'duplicates', 'invalid'] as const;

export type CleanseCounter = (typeof cleanseCounters)[number];

/** All rules of an interaction but the clock's, and one of sums: quantity × price stays a safe integer. */
export function invalidInteraction(value: unknown): InvalidField | undefined {
  const checked = validateInteraction(value, Infinity);
  if (isInvalidField(checked)) return checked;
  if (Number.isSafeInteger(checked.quantity * checked.price)) return undefined;
  return {
    field: 'price',
    reason: `wants quantity × price to be a safe integer, found ${checked.quantity} × ${checked.price}`,
  };
}
