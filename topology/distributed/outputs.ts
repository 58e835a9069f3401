import type { LogRecord, LogTransaction, TopicPartition } from '../../log/index.ts';
import type { OpenRecord } from '../runtime/open-record.ts';
import type { Topics } from '../runtime/outbox.ts';

/** What a task has sent since its last commit: it goes out with the transaction, and is forgotten when the task is given up. */
export class Outputs implements Topics {
  readonly maxRecordBytes: number;
  readonly #counts: ReadonlyMap<string, number>;
  readonly #parts = new Map<string, Part>();

  constructor(counts: ReadonlyMap<string, number>, maxRecordBytes: number) {
    this.#counts = counts;
    this.maxRecordBytes = maxRecordBytes;
  }

  partitions(topic: string): number | undefined {
    return this.#counts.get(topic);
  }

  carriesObjects(): boolean {
    return false;
  }

  channel(topic: string, partition: number): Part {
    const name = `${topic}/${partition}`;
    let part = this.#parts.get(name);
    if (part === undefined) this.#parts.set(name, (part = new Part({ topic, partition })));
    return part;
  }

  sendTo(transaction: LogTransaction): void {
    for (const { partition, records } of this.#parts.values()) {
      if (records.length > 0) transaction.send(partition, records);
    }
  }

  clear(): void {
    this.#parts.clear();
  }
}

class Part {
  readonly partition: TopicPartition;
  readonly records: LogRecord[] = [];

  constructor(partition: TopicPartition) {
    this.partition = partition;
  }

  send(records: readonly OpenRecord[]): void {
    for (const { keyBytes, valueBytes, timestamp, headers } of records) {
      this.records.push({ key: keyBytes!, value: valueBytes!, timestamp, headers });
    }
  }
}
