import { MillraceError } from '../../schemas/errors.ts';
import type { BatchWriter, Engine } from '../../state/engine.ts';
import type { TopicPartition, TopicSpec } from '../log.ts';
import { appendTimesSinceKey, decodeOffsets, metaPrefix, prefixRange, readScopedKey, topicKey } from './layout.ts';
import { PartitionLog, type Topic } from './partition-log.ts';
import { ProducerState } from './producer-state.ts';
import { decodeBatchHeader } from './record-batch.ts';

/** The topics there are, with their partitions: read once at open, then the truth in memory. */
export class Catalog {
  readonly #topics = new Map<string, Topic>();
  #nextId = 1;
  /** When append times began to be kept here: a batch without one is older. Undefined: not known, so it may be of any time. */
  appendTimesSinceMs: number | undefined;

  all(): readonly Topic[] {
    return [...this.#topics.values()];
  }

  topic(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw new MillraceError('TOPIC_NOT_FOUND', `There is no topic '${name}'`, { topic: name });
    return topic;
  }

  partition(of: TopicPartition): PartitionLog {
    const topic = this.topic(of.topic);
    const partition = topic.partitions[of.partition];
    if (partition !== undefined) return partition;
    throw new MillraceError(
      'PARTITION_NOT_FOUND',
      `Topic '${of.topic}' has ${topic.partitions.length} partitions, asked for number ${of.partition}`,
      { topic: of.topic, partition: of.partition, partitions: topic.partitions.length },
    );
  }

  /** Those that don't exist yet; throws before anything is made when one can't be. */
  missing(specs: readonly TopicSpec[]): TopicSpec[] {
    const missing = new Map<string, TopicSpec>();
    for (const spec of specs) {
      checkSpec(spec);
      const found = this.#topics.get(spec.name)?.spec ?? missing.get(spec.name);
      if (found === undefined) missing.set(spec.name, spec);
      else if (found.partitions !== spec.partitions) {
        throw new MillraceError(
          'TOPIC_MISMATCH',
          `Topic '${spec.name}' has ${found.partitions} partitions, wanted ${spec.partitions}`,
          { topic: spec.name, wanted: spec.partitions, found: found.partitions },
        );
      }
    }
    return [...missing.values()];
  }

  create(spec: TopicSpec): Topic {
    return this.#make(this.#nextId++, spec, () => undefined);
  }

  /** Makes a created topic known, once it is durable. */
  add(topic: Topic): void {
    this.#topics.set(topic.spec.name, topic);
  }

  /** Forgets a topic whose removal is durable. */
  drop(name: string): void {
    this.#topics.delete(name);
  }

  static stageTopic(writer: BatchWriter, { id, spec, partitions }: Topic): void {
    writer.put('meta', topicKey(spec.name), Buffer.from(JSON.stringify({ id, spec })));
    for (const partition of partitions) partition.stageEnd(writer);
  }

  static async load(engine: Engine): Promise<Catalog> {
    const catalog = new Catalog();
    const [since] = await engine.getMany('meta', [appendTimesSinceKey]);
    catalog.appendTimesSinceMs = since && decodeOffsets(since)[0];
    const stored = await loadScoped(engine, metaPrefix.partition);
    for await (const chunk of engine.range('meta', prefixRange(metaPrefix.topic))) {
      for (const { value } of chunk) {
        // Written by `stageTopic` alone, in the same database.
        const { id, spec } = JSON.parse(Buffer.from(value).toString()) as { id: number; spec: TopicSpec };
        catalog.add(catalog.#make(id, spec, (partition) => stored.get(`${id}-${partition}`)?.[0]?.value));
        catalog.#nextId = Math.max(catalog.#nextId, id + 1);
      }
    }
    const producers = await loadScoped(engine, metaPrefix.producer);
    for (const topic of catalog.all()) {
      for (const partition of topic.partitions) {
        await checkEnd(engine, partition);
        for (const { name, value } of producers.get(`${topic.id}-${partition.partition}`) ?? []) {
          partition.producers.set(name, ProducerState.decode(value));
        }
      }
    }
    return catalog;
  }

  #make(id: number, spec: TopicSpec, stored: (partition: number) => Uint8Array | undefined): Topic {
    const make = (_: unknown, partition: number) => new PartitionLog(id, spec, partition, stored(partition));
    return { id, spec, partitions: Array.from({ length: spec.partitions }, make) };
  }
}

async function loadScoped(engine: Engine, prefix: Buffer) {
  const found = new Map<string, { name: string; value: Uint8Array }[]>();
  for await (const chunk of engine.range('meta', prefixRange(prefix))) {
    for (const { key, value } of chunk) {
      const { topicId, partition, name } = readScopedKey(prefix, key);
      const scope = `${topicId}-${partition}`;
      const entries = found.get(scope);
      if (entries === undefined) found.set(scope, [{ name, value }]);
      else entries.push({ name, value });
    }
  }
  return found;
}

/** The end is written with the records, so nothing can lie beyond it. */
async function checkEnd(engine: Engine, partition: PartitionLog): Promise<void> {
  const range = { gte: partition.key(0), lt: partition.key(Number.MAX_SAFE_INTEGER), reverse: true, limit: 1 };
  for await (const chunk of engine.range('log', range)) {
    for (const { value } of chunk) {
      const { lastOffset } = decodeBatchHeader(value);
      if (lastOffset < partition.offsets.end) continue;
      throw new MillraceError(
        'DATA_FOLDER_CORRUPT',
        `${partition.name} ends at offset ${partition.offsets.end}, but has a batch up to ${lastOffset}`,
        { ...partition.topicPartition, end: partition.offsets.end, lastOffset },
      );
    }
  }
}

function checkSpec({ name, partitions }: TopicSpec): void {
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') {
    throw new MillraceError(
      'INVALID_ARGUMENT',
      `A topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -, found '${name}'`,
      { topic: name },
    );
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > partitionsMax) {
    throw new MillraceError(
      'INVALID_ARGUMENT',
      `Topic '${name}' may have 1 to ${partitionsMax} partitions, found ${partitions}`,
      { topic: name, partitions },
    );
  }
}

const partitionsMax = 10_000;
