import { MillraceError } from '../../schemas/errors.ts';
import type { Serde } from '../../schemas/serde.ts';
import type { LogHeader } from '../../log/log.ts';
import type { SinkNode } from '../graph/graph.ts';
import { partitionForKey } from '../../log/index.ts';
import { OpenRecord } from './open-record.ts';
import type { StreamRecord } from './stream-record.ts';
import { compareTurns, type Turn } from './turn.ts';

/** Finds channels of topics by name; what the outbox needs to know of the topics. */
export interface Topics {
  /** Partition count; undefined for a topic that does not exist. */
  partitions(topic: string): number | undefined;
  channel(topic: string, partition: number): { send(records: readonly OpenRecord[]): void };
  /** Repartition topics carry objects: their bytes are not needed yet. */
  carriesObjects(topic: string): boolean;
  readonly maxRecordBytes: number;
}

/** A sent record of a task whose sinks meet in a topic: it is put in its place when the batch is done. */
interface TurnedSend {
  readonly topic: string;
  readonly partition: number;
  readonly record: OpenRecord;
  readonly turn: Turn | undefined;
}

/** What a task's sinks have sent in the running batch; it goes to the channels when the batch is done, in order of turn. */
export class Outbox {
  readonly #topics: Topics;
  readonly #sorts: boolean;
  #turned: TurnedSend[] = [];
  #byTopic = new Map<string, OpenRecord[][]>();

  constructor(topics: Topics, { sorts }: { readonly sorts: boolean }) {
    this.#topics = topics;
    this.#sorts = sorts;
  }

  /** @throws what serializing throws, `TOPIC_NOT_FOUND`, `PARTITION_NOT_FOUND`, `RECORD_TOO_LARGE`. */
  send(sink: SinkNode, topic: string, from: StreamRecord): void {
    const partitions = this.#partitions(sink, topic);
    const { key, value, timestamp, headers, turn } = from;
    const objects = this.#topics.carriesObjects(topic);
    const keyBytes =
      objects && (partitions === 1 || sink.partitioner !== undefined) ? undefined : bytesOf(sink.keySerde, key);
    const valueBytes = objects ? undefined : bytesOf(sink.valueSerde, value);
    this.#checkSize(topic, keyBytes, valueBytes);
    const chosen = sink.partitioner?.(topic, key, value, partitions);
    if (typeof chosen === 'object') {
      for (const partition of chosen) {
        const record = new OpenRecord(key, value, timestamp, headers, keyBytes, valueBytes);
        this.#add(topic, checked(partition, partitions, sink), record, turn);
      }
      return;
    }
    let partition = 0;
    if (chosen !== undefined) partition = checked(chosen, partitions, sink);
    else if (partitions > 1) partition = partitionForKey(keyBytes ?? bytesOf(sink.keySerde, key), partitions);
    this.#add(topic, partition, new OpenRecord(key, value, timestamp, headers, keyBytes, valueBytes), turn);
  }

  sendBytes(
    topic: string,
    partition: number,
    record: { key: Uint8Array | null; value: Uint8Array | null; timestamp: number; headers: readonly LogHeader[] },
  ): void {
    const { key, value, timestamp, headers } = record;
    this.#add(topic, partition, new OpenRecord(key, value, timestamp, headers, key, value), undefined);
  }

  /** Hands everything to the channels. */
  close(): void {
    if (this.#turned.length > 0) {
      const turned = this.#turned.sort((a, b) => compareTurns(a.turn ?? [], b.turn ?? []));
      this.#turned = [];
      for (const { topic, partition, record } of turned) this.#list(topic, partition).push(record);
    }
    if (this.#byTopic.size === 0) return;
    const byTopic = this.#byTopic;
    this.#byTopic = new Map();
    for (const [topic, lists] of byTopic) {
      lists.forEach((records, partition) => this.#topics.channel(topic, partition).send(records));
    }
  }

  #add(topic: string, partition: number, record: OpenRecord, turn: Turn | undefined): void {
    if (this.#sorts) this.#turned.push({ topic, partition, record, turn });
    else this.#list(topic, partition).push(record);
  }

  #list(topic: string, partition: number): OpenRecord[] {
    let lists = this.#byTopic.get(topic);
    if (lists === undefined) this.#byTopic.set(topic, (lists = []));
    return (lists[partition] ??= []);
  }

  #partitions(sink: SinkNode, topic: string): number {
    const partitions = this.#topics.partitions(topic);
    if (partitions !== undefined) return partitions;
    throw new MillraceError('TOPIC_NOT_FOUND', `Sink '${sink.name}' sends to topic '${topic}', which does not exist.`, {
      topic,
      node: sink.name,
    });
  }

  #checkSize(topic: string, key: Uint8Array | null | undefined, value: Uint8Array | null | undefined): void {
    const bytes = (key?.length ?? 0) + (value?.length ?? 0);
    const { maxRecordBytes } = this.#topics;
    if (bytes <= maxRecordBytes) return;
    throw new MillraceError(
      'RECORD_TOO_LARGE',
      `A record of ${bytes} bytes for '${topic}'; at most ${maxRecordBytes}.`,
      {
        topic,
        bytes,
        maxRecordBytes,
      },
    );
  }
}

function bytesOf(serde: Serde<unknown>, value: unknown): Uint8Array | null {
  return value === null || value === undefined ? null : serde.serialize(value);
}

function checked(partition: number, partitions: number, sink: SinkNode): number {
  if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return partition;
  const message = `The partitioner of '${sink.name}' chose partition ${partition}; the topic has ${partitions}.`;
  throw new MillraceError('PARTITION_NOT_FOUND', message, { node: sink.name, partition, partitions });
}
