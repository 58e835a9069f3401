import type { LogRecord, ProduceResult, TopicPartition } from '../log.ts';
import type { Connections } from './connections.ts';
import {
  batchBytesMax,
  batchedBytes,
  batchRecordsMax,
  deliver,
  nameOf,
  type DeliveryOptions,
  type ProducerSession,
} from './delivery.ts';

interface Call {
  readonly records: readonly LogRecord[];
  resolve(result: ProduceResult): void;
  reject(error: unknown): void;
}

/**
 * Appends outside transactions. Of each partition one append is on its way; calls that come meanwhile wait in their order and
 * go together, so that many small ones cost few requests. After a failure the numbers are in doubt, and the next append
 * begins under a new producer id.
 *
 * A call takes its place before anything is asked of a broker: where one has to be asked again, the next call would overtake.
 */
export class IdempotentProducer {
  readonly #connections: Connections;
  readonly #options: DeliveryOptions;
  readonly #deliver: typeof deliver;
  readonly #waiting = new Map<string, Call[]>();
  readonly #sending = new Set<Promise<void>>();
  #session: Promise<ProducerSession> | undefined;

  constructor(connections: Connections, options: DeliveryOptions, delivers: typeof deliver = deliver) {
    this.#connections = connections;
    this.#options = options;
    this.#deliver = delivers;
  }

  /** @throws MillraceError `TOPIC_NOT_FOUND`, `PARTITION_NOT_FOUND`; what `deliver` throws */
  append(partition: TopicPartition, records: readonly LogRecord[]): Promise<ProduceResult> {
    return new Promise((resolve, reject) => {
      const call = { records, resolve, reject };
      const waiting = this.#waiting.get(nameOf(partition));
      if (waiting !== undefined) {
        waiting.push(call);
        return;
      }
      this.#waiting.set(nameOf(partition), [call]);
      const sending = this.#sendAll(partition).finally(() => this.#sending.delete(sending));
      this.#sending.add(sending);
    });
  }

  /** Everything that was asked for has been acknowledged or refused. */
  async idle(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending);
  }

  async #sendAll({ topic, partition }: TopicPartition): Promise<void> {
    const name = nameOf({ topic, partition });
    const waiting = this.#waiting.get(name)!;
    while (waiting.length > 0) {
      const calls = waiting.splice(0, callsOfOneBatch(waiting));
      const records = calls.length === 1 ? calls[0]!.records : calls.flatMap((call) => call.records);
      try {
        await this.#connections.checkPartition({ topic, partition });
        const session = await (this.#session ??= this.#begin());
        const [delivered] = await this.#deliver(
          this.#connections,
          session,
          [{ topic, partition, records }],
          this.#options,
        );
        let baseOffset = delivered!.baseOffset ?? forgotten;
        for (const call of calls) {
          call.resolve({ baseOffset, duplicate: baseOffset === forgotten });
          if (baseOffset !== forgotten) baseOffset += call.records.length;
        }
      } catch (error) {
        this.#session = undefined;
        for (const call of calls) call.reject(error);
      }
    }
    this.#waiting.delete(name);
  }

  async #begin(): Promise<ProducerSession> {
    const { producerId, producerEpoch } = await this.#connections.onAny('Asking for a producer id', (broker) =>
      broker.initProducerId({ transactionTimeout: this.#options.requestTimeoutMs }),
    );
    return { transactionalId: null, producerId: BigInt(producerId), producerEpoch, sequences: new Map() };
  }
}

/** Appended, acknowledged as a duplicate, and the broker knows no more where. */
const forgotten = -1;

/** At least one. */
function callsOfOneBatch(calls: readonly Call[]): number {
  let bytes = 0;
  let count = 0;
  for (let at = 0; at < calls.length; at++) {
    const { records } = calls[at]!;
    count += records.length;
    for (const record of records) bytes += batchedBytes(record);
    if (at > 0 && (bytes > batchBytesMax || count > batchRecordsMax)) return at;
  }
  return calls.length;
}
