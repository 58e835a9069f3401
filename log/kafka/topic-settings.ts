import type { TopicSpec } from '../log.ts';
import type { ConfigResource, NewTopic } from './kafkajs.ts';

/**
 * A topic's settings in Kafka's words. What the port means by default is written out, since a broker's own defaults remove
 * records: a topic keeps everything unless it was made with something else.
 */
export function newTopic(spec: TopicSpec, replicationFactor: number): NewTopic {
  const config = {
    'cleanup.policy': spec.cleanup ?? 'delete',
    'retention.ms': String(spec.retentionMs ?? unlimited),
    'retention.bytes': String(spec.retentionBytes ?? unlimited),
    // The time of a record is the event's: a shop's clock may be wrong, and that is judged where it is processed (KIP-937).
    'message.timestamp.after.max.ms': String(forEver),
    ...(spec.deleteRetentionMs !== undefined && { 'delete.retention.ms': String(spec.deleteRetentionMs) }),
  };
  return {
    topic: spec.name,
    numPartitions: spec.partitions,
    replicationFactor,
    configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
  };
}

export const settingNames = ['cleanup.policy', 'retention.ms', 'retention.bytes', 'delete.retention.ms'];

export function topicSpec({ resourceName, configEntries }: ConfigResource, partitions: number): TopicSpec {
  const config = new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]));
  const limit = (name: string) => {
    const value = Number(config.get(name) ?? unlimited);
    return value === unlimited ? undefined : value;
  };
  const [retentionMs, retentionBytes] = [limit('retention.ms'), limit('retention.bytes')];
  const deleteRetentionMs = limit('delete.retention.ms');
  return {
    name: resourceName,
    partitions,
    cleanup: (config.get('cleanup.policy') ?? 'delete').split(',').toSorted().join(',') as NonNullable<
      TopicSpec['cleanup']
    >,
    ...(retentionMs !== undefined && { retentionMs }),
    ...(retentionBytes !== undefined && { retentionBytes }),
    ...(deleteRetentionMs !== undefined && { deleteRetentionMs }),
  };
}

const unlimited = -1;
const forEver = 2n ** 63n - 1n;
