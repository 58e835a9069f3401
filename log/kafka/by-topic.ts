import type { TopicPartition } from '../log.ts';
import type { PartitionsOf } from './kafkajs.ts';

/** As the protocol's requests want partitions: together by topic. */
export function byTopic<P extends TopicPartition>(partitions: readonly P[]): PartitionsOf<P>[] {
  const topics = new Map<string, P[]>();
  for (const each of partitions) {
    const known = topics.get(each.topic);
    if (known === undefined) topics.set(each.topic, [each]);
    else known.push(each);
  }
  return [...topics].map(([topic, of]) => ({ topic, partitions: of }));
}
