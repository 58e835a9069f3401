import type { BatchWriter, Engine } from '../../state/engine.ts';
import { batchKey, metaPrefix, offsetKey, partitionKey, prefixRange, readScopedKey, topicKey } from './layout.ts';
import type { TopicSpec } from '../log.ts';

/**
 * Takes whole topics out of a database, and the offsets of a consumer group in those that stay. For migrations, before
 * a log is opened over it: an open one has its topics in memory (`EmbeddedLog.removeTopics`).
 */
export async function stageTopicRemoval(engine: Engine, writer: BatchWriter, of: TopicRemoval): Promise<void> {
  (await stagedTopicRemoval(engine, of))(writer);
}

/** Reads what is to go; what it gives takes it out. */
export async function stagedTopicRemoval(engine: Engine, of: TopicRemoval): Promise<(writer: BatchWriter) => void> {
  const removed = new Map<number, TopicSpec>();
  for await (const chunk of engine.range('meta', prefixRange(metaPrefix.topic))) {
    for (const { value } of chunk) {
      const { id, spec } = JSON.parse(Buffer.from(value).toString()) as { id: number; spec: TopicSpec };
      if (of.removes(spec.name)) removed.set(id, spec);
    }
  }
  const keys: Uint8Array[] = [];
  for (const prefix of [metaPrefix.producer, metaPrefix.offset]) {
    for await (const chunk of engine.range('meta', prefixRange(prefix))) {
      for (const { key } of chunk) {
        const { topicId, partition, name } = readScopedKey(prefix, key);
        if (removed.has(topicId)) keys.push(key.slice());
        else if (prefix === metaPrefix.offset && name === of.group) keys.push(offsetKey(topicId, partition, name));
      }
    }
  }
  return (writer) => {
    for (const [id, { name, partitions }] of removed) {
      writer.delete('meta', topicKey(name));
      for (let partition = 0; partition < partitions; partition += 1) {
        writer.delete('meta', partitionKey(id, partition));
      }
      writer.deleteRange('log', batchKey(id, 0, 0), batchKey(id + 1, 0, 0));
    }
    for (const key of keys) writer.delete('meta', key);
  };
}

export interface TopicRemoval {
  readonly removes: (topic: string) => boolean;
  /** Whose offsets go, in topics that stay too. Default: none. */
  readonly group?: string;
}
