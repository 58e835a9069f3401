import { MillraceError } from '../../schemas/errors.ts';
import type { Serde } from '../../schemas/serde.ts';
import type { EmbeddedLog, TopicPartition } from '../../log/index.ts';
import type { SinkNode, SourceNode, TopologyGraph } from '../graph/graph.ts';
import { Channel } from './channel.ts';
import type { Topics } from './outbox.ts';
import { fullTopicName, type TopicNaming } from './topic-names.ts';

/** Which topics a topology reads and writes, by their full names, and how records cross between its own tasks. */
export class TopicMap implements Topics {
  readonly maxRecordBytes: number;
  readonly #log: EmbeddedLog;
  readonly #routes = new Map<string, Route>();
  readonly #channels = new Map<string, Channel>();
  readonly #partitions: Map<string, number>;

  constructor({ log, graph, naming, partitions, loops, roundTrip }: TopicMapOptions) {
    this.#log = log;
    this.maxRecordBytes = log.maxRecordBytes;
    this.#partitions = partitions;
    const full = (topic: string) => fullTopicName(graph, naming, topic);
    for (const node of graph.nodes.values()) {
      if (node.kind === 'source' && !(node.topics instanceof RegExp)) {
        for (const topic of node.topics) this.#route(full(topic)).source = node;
      } else if (node.kind === 'sink') {
        if (typeof node.topic === 'string') this.#route(full(node.topic)).sinks.push(node);
      }
    }
    for (const [topic, route] of this.#routes) {
      const internal = [...graph.internalTopics.keys()].some((name) => full(name) === topic);
      const { source, sinks } = route;
      const [sink] = sinks;
      route.looped = loops.has(topic);
      route.byReference =
        !roundTrip &&
        source !== undefined &&
        sink !== undefined &&
        sinks.every((other) => same(other.keySerde, source.keySerde) && same(other.valueSerde, source.valueSerde));
      route.hop = internal && !route.looped && !roundTrip;
    }
  }

  partitions(topic: string): number | undefined {
    return this.#partitions.get(topic);
  }

  carriesObjects(topic: string): boolean {
    const route = this.#routes.get(topic);
    return route !== undefined && route.hop && route.byReference;
  }

  channel(topic: string, partition: number): Channel {
    const id = `${topic}/${partition}`;
    let channel = this.#channels.get(id);
    if (channel === undefined) this.#channels.set(id, (channel = this.#create({ topic, partition })));
    return channel;
  }

  /** The channel that a source reads besides the log; undefined when the topology does not write the topic. */
  inputChannel(of: TopicPartition): Channel | undefined {
    const route = this.#routes.get(of.topic);
    if (route === undefined || route.sinks.length === 0 || route.looped) return undefined;
    return this.channel(of.topic, of.partition);
  }

  channels(): Iterable<Channel> {
    return this.#channels.values();
  }

  #create(partition: TopicPartition): Channel {
    const { source, sinks, byReference, hop, looped } = this.#route(partition.topic);
    const [sink] = sinks;
    return new Channel(partition, {
      appender: this.#log,
      keySerde: sink?.keySerde ?? bytesOnly,
      valueSerde: sink?.valueSerde ?? bytesOnly,
      byReference,
      hop,
      hasReader: source !== undefined && sinks.length > 0 && !looped,
    });
  }

  #route(topic: string): Route {
    let route = this.#routes.get(topic);
    if (route === undefined) {
      route = { source: undefined, sinks: [], byReference: false, hop: false, looped: false };
      this.#routes.set(topic, route);
    }
    return route;
  }
}

export interface TopicMapOptions {
  readonly log: EmbeddedLog;
  readonly graph: TopologyGraph;
  readonly naming: TopicNaming;
  /** Partition counts of every topic of the log. */
  readonly partitions: Map<string, number>;
  /** Topics that lead back to a sub-topology above their writer: their records wait for the commit. */
  readonly loops: ReadonlySet<string>;
  /** Every record takes the way through its bytes and the log: the test driver's rule. */
  readonly roundTrip: boolean;
}

interface Route {
  source: SourceNode | undefined;
  readonly sinks: SinkNode[];
  byReference: boolean;
  hop: boolean;
  looped: boolean;
}

/** Topics by which a sub-topology reaches one of those it reads from. */
export function loopTopics(graph: TopologyGraph): ReadonlySet<string> {
  const readers = new Map<string, number>();
  const writes: { readonly from: number; readonly topic: string }[] = [];
  for (const { id, nodes } of graph.subtopologies) {
    for (const name of nodes) {
      const node = graph.nodes.get(name)!;
      if (node.kind === 'source' && !(node.topics instanceof RegExp)) {
        for (const topic of node.topics) readers.set(topic, id);
      } else if (node.kind === 'sink' && typeof node.topic === 'string') {
        writes.push({ from: id, topic: node.topic });
      }
    }
  }
  const reaches = (from: number, to: number, seen = new Set<number>()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return writes.some(
      (write) => write.from === from && readers.has(write.topic) && reaches(readers.get(write.topic)!, to, seen),
    );
  };
  return new Set(
    writes
      .filter(({ from, topic }) => readers.has(topic) && reaches(readers.get(topic)!, from))
      .map(({ topic }) => topic),
  );
}

function same(a: Serde<unknown>, b: Serde<unknown>): boolean {
  return a === b || a.name === b.name;
}

const bytesOnly: Serde<unknown> = {
  name: 'bytes',
  serialize: (value) => {
    if (value instanceof Uint8Array) return value;
    throw new MillraceError('SERIALIZATION_FAILED', `Wanted bytes, found ${typeof value}.`);
  },
  deserialize: (bytes) => bytes,
};
