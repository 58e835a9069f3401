import { MillraceError } from '../../schemas/errors.ts';
import type { Serde } from '../../schemas/serde.ts';
import type { LogHeader } from '../../log/log.ts';
import type { SinkNode } from '../graph/graph.ts';
import { partitionForKey } from '../../log/index.ts';
import type { Channel, UnsentRecord } from './channel.ts';
import type { StreamRecord } from './stream-record.ts';
import { compareTurns, type Turn } from './turn.ts';

/** Finds channels of topics by name; what the outbox needs to know of the topics. */
export interface Topics {
  /** Partition count; undefined for a topic that does not exist. */
  partitions(topic: string): number | undefined;
  channel(topic: string, partition: number): Channel;
  /** Repartition topics carry objects: their bytes are not needed yet. */
  carriesObjects(topic: string): boolean;
  readonly maxRecordBytes: number;
}

interface Send {
  readonly topic: string;
  readonly partition: number;
  readonly record: UnsentRecord;
  readonly turn: Turn | undefined;
}

/** What a task's sinks have sent in the running batch; it goes to the channels when the batch is done, in order of turn. */
export class Outbox {
  readonly #topics: Topics;
  readonly #sorts: boolean;
  #sends: Send[] = [];

  constructor(topics: Topics, { sorts }: { readonly sorts: boolean }) {
    this.#topics = topics;
    this.#sorts = sorts;
  }

  /** @throws what serializing throws, `TOPIC_NOT_FOUND`, `PARTITION_NOT_FOUND`, `RECORD_TOO_LARGE`. */
  send(sink: SinkNode, topic: string, from: StreamRecord): void {
    const partitions = this.#partitions(sink, topic);
    const { key, value, timestamp, headers } = from;
    const objects = this.#topics.carriesObjects(topic);
    const keyBytes =
      objects && (partitions === 1 || sink.partitioner !== undefined) ? undefined : bytesOf(sink.keySerde, key);
    const valueBytes = objects ? undefined : bytesOf(sink.valueSerde, value);
    this.#checkSize(topic, keyBytes, valueBytes);
    const record: UnsentRecord = { key, value, timestamp, headers, keyBytes, valueBytes };
    const chosen = sink.partitioner?.(topic, key, value, partitions);
    if (chosen === undefined) {
      const partition = partitions === 1 ? 0 : partitionForKey(keyBytes ?? bytesOf(sink.keySerde, key), partitions);
      this.#sends.push({ topic, partition, record, turn: from.turn });
    } else if (typeof chosen === 'number') {
      this.#sends.push({ topic, partition: checked(chosen, partitions, sink), record, turn: from.turn });
    } else {
      for (const partition of chosen) {
        this.#sends.push({ topic, partition: checked(partition, partitions, sink), record, turn: from.turn });
      }
    }
  }

  sendBytes(
    topic: string,
    partition: number,
    record: { key: Uint8Array | null; value: Uint8Array | null; timestamp: number; headers: readonly LogHeader[] },
  ): void {
    const { key, value, timestamp, headers } = record;
    const unsent = { key, value, timestamp, headers, keyBytes: key, valueBytes: value };
    this.#sends.push({ topic, partition, record: unsent, turn: undefined });
  }

  /** Hands everything to the channels. */
  close(): void {
    if (this.#sends.length === 0) return;
    const sends = this.#sends;
    this.#sends = [];
    if (this.#sorts) sends.sort((a, b) => compareTurns(a.turn ?? [], b.turn ?? []));
    const byTopic = new Map<string, UnsentRecord[][]>();
    for (const { topic, partition, record } of sends) {
      let lists = byTopic.get(topic);
      if (lists === undefined) byTopic.set(topic, (lists = []));
      (lists[partition] ??= []).push(record);
    }
    for (const [topic, lists] of byTopic) {
      lists.forEach((records, partition) => this.#topics.channel(topic, partition).send(records));
    }
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
