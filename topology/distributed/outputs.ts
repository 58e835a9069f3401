import type { LogRecord, TopicPartition } from '../../log/index.ts';
import type { OpenRecord } from '../runtime/open-record.ts';
import type { Topics } from '../runtime/outbox.ts';
import type { Part } from './task-committer.ts';

/** What a task has sent since its last commit: it goes out with the transaction, and is forgotten when the task is given up. */
export class Outputs implements Topics {
  readonly maxRecordBytes: number;
  readonly #counts: ReadonlyMap<string, number>;
  readonly #parts = new Map<string, OutputPart>();

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

  channel(topic: string, partition: number): OutputPart {
    const name = `${topic}/${partition}`;
    let part = this.#parts.get(name);
    if (part === undefined) this.#parts.set(name, (part = new OutputPart({ topic, partition })));
    return part;
  }

  /** What was sent, by partition. */
  parts(): readonly Part[] {
    return [...this.#parts.values()].filter(({ records }) => records.length > 0);
  }

  clear(): void {
    this.#parts.clear();
  }
}

class OutputPart implements Part {
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
