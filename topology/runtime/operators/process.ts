import { MillraceError } from '../../../schemas/errors.ts';
import type { StateStore } from '../../../state/store.ts';
import type { Processor, ProcessorContext, Punctuator, RecordMetadata } from '../../processor.ts';
import type { Record } from '../../record.ts';
import type { Emit, ExecutableNode } from '../node.ts';
import type { Punctuations } from '../punctuation.ts';
import { StreamRecord } from '../stream-record.ts';

export interface ProcessOptions {
  readonly name: string;
  readonly processor: Processor<unknown, unknown>;
  readonly stores: ReadonlyMap<string, StateStore>;
  readonly task: TaskFacts;
  readonly punctuations: Punctuations;
}

export interface TaskFacts {
  readonly applicationId: string;
  readonly taskId: string;
  readonly partition: number;
  readonly streamTimeMs: () => number;
  readonly nowMs: () => number;
}

/** Runs a user's processor: keeps the record at hand, so that forward() gives its descendants the right place. */
export class ProcessNode implements ExecutableNode {
  readonly name: string;
  readonly load?: (records: readonly StreamRecord[]) => Promise<void> | void;
  readonly #processor: Processor<unknown, unknown>;
  #current: StreamRecord | undefined;
  #emit: Emit | undefined;
  /** The processor may have gathered work since its last `beforeCommit`. */
  #gathered = false;

  constructor({ name, processor, stores, task, punctuations }: ProcessOptions) {
    this.name = name;
    this.#processor = processor;
    if (processor.load !== undefined) this.load = (records) => processor.load!(records);
    const context: ProcessorContext = {
      applicationId: task.applicationId,
      taskId: task.taskId,
      partition: task.partition,
      forward: (record, childName) => this.#forward(record, childName),
      getStateStore: <S extends StateStore>(store: string) => storeOf<S>(name, stores, store),
      schedule: (intervalMs, type, punctuator) =>
        punctuations.add(name, type, intervalMs, type === 'streamTime' ? 0 : task.nowMs() + intervalMs, punctuator),
      currentStreamTimeMs: () => this.#current?.streamTimeMs ?? task.streamTimeMs(),
      currentSystemTimeMs: task.nowMs,
      recordMetadata: () => this.#metadata(),
    };
    processor.init?.(context);
  }

  process(record: StreamRecord, emit: Emit): Promise<void> | void {
    this.#current = record;
    this.#emit = emit;
    this.#gathered = true;
    return this.#processor.process(record);
  }

  /** Calls a punctuator as if `place` were the record at hand; it has no origin. */
  punctuate(punctuator: Punctuator, timestampMs: number, place: StreamRecord, emit: Emit): Promise<void> | void {
    this.#current = place;
    this.#emit = emit;
    this.#gathered = true;
    return punctuator(timestampMs);
  }

  hasPending(): boolean {
    return this.#gathered && this.#processor.beforeCommit !== undefined;
  }

  flush(place: StreamRecord, emit: Emit): Promise<void> | void {
    this.#current = place;
    this.#emit = emit;
    this.#gathered = false;
    return this.#processor.beforeCommit?.();
  }

  close(): void {
    this.#processor.close?.();
  }

  #forward(record: Record<unknown, unknown>, childName: string | undefined): void {
    const current = this.#current;
    if (current === undefined || this.#emit === undefined) {
      throw new MillraceError(
        'PROCESSING_FAILED',
        `'${this.name}' called forward() outside process(), beforeCommit() and punctuators.`,
        {
          node: this.name,
        },
      );
    }
    const { key, value, timestamp, headers } = record;
    const { position, streamTimeMs, origin, punctuation } = current;
    this.#emit(
      new StreamRecord(key, value, timestamp, headers, position, streamTimeMs, origin, undefined, punctuation),
      childName,
    );
  }

  #metadata(): RecordMetadata | undefined {
    const origin = this.#current?.origin;
    return origin && { topic: origin.topic, partition: origin.partition, offset: origin.offset };
  }
}

function storeOf<S extends StateStore>(node: string, stores: ReadonlyMap<string, StateStore>, store: string): S {
  const found = stores.get(store);
  if (found === undefined) {
    const connected = [...stores.keys()].map((name) => `'${name}'`).join(', ') || 'none';
    throw new MillraceError('STORE_NOT_FOUND', `'${node}' asked for store '${store}'; connected: ${connected}.`, {
      node,
      store,
    });
  }
  return found as S;
}
