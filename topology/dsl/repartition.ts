import type { Serde } from '../../schemas/index.ts';
import type { StreamPartitioner } from '../graph/graph.ts';
import type { Plan, Step } from './plan.ts';

export interface RepartitionOptions {
  /** The topic is `<prefix>-repartition`. */
  readonly prefix: string;
  readonly keySerde: Serde<unknown> | undefined;
  readonly valueSerde: Serde<unknown> | undefined;
  readonly partitions?: number | undefined;
  readonly partitioner?: StreamPartitioner | undefined;
}

/** A repartition that has its names but is not in the plan yet: some callers need the names only. */
export interface Repartition {
  readonly sourceName: string;
  addTo(parent: Step): Step;
}

/**
 * Sends records through a topic of our own, so that all records of a key meet in one task:
 *
 *     parent ──> filter (null keys) ──> sink ──> topic ──> source ──> children
 *
 * Three numbers are taken whether or not they are used, and a topic with a generated name (`KSTREAM-…-0000000007`) gives
 * its nodes generated names; both as in Kafka Streams. A record without a key belongs nowhere and is dropped, unless
 * a left join comes below, which lets it through.
 */
export function repartition(plan: Plan, options: RepartitionOptions): Repartition {
  const topic = options.prefix.endsWith('-repartition') ? options.prefix : `${options.prefix}-repartition`;
  const generated = {
    sink: plan.names.processorName('KSTREAM-SINK-'),
    filter: plan.names.processorName('KSTREAM-FILTER-'),
    source: plan.names.processorName('KSTREAM-SOURCE-'),
  };
  const named = { sink: `${topic}-sink`, filter: `${topic}-filter`, source: `${topic}-source` };
  const names = /^KSTREAM.*-[0-9]{10}-repartition$/.test(topic) ? generated : named;
  const keySerde = options.keySerde ?? plan.keySerde;
  const valueSerde = options.valueSerde ?? plan.valueSerde;
  return {
    sourceName: names.source,
    addTo: (parent) =>
      plan.add({
        name: names.source,
        parents: [parent],
        write(topology, isBeforeLeftJoin) {
          topology.addInternalTopic({ name: topic, partitions: options.partitions });
          topology.addOperator(names.filter, { op: isBeforeLeftJoin ? 'passThrough' : 'dropNullKeys' }, [parent.name]);
          topology.addSink(names.sink, topic, names.filter, { keySerde, valueSerde, partitioner: options.partitioner });
          topology.addSource(names.source, topic, { keySerde, valueSerde });
        },
      }),
  };
}
