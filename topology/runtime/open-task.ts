import type { Log, TopicPartition } from '../../log/index.ts';
import type { StateStore } from '../../state/index.ts';
import type { SourceNode, Subtopology, TopologyGraph } from '../graph/graph.ts';
import type { Channel } from './channel.ts';
import { Failures } from './failures.ts';
import { logAndFail, type ExceptionHandlers } from './handlers.ts';
import { InputPartition } from './input-partition.ts';
import type { Metrics } from './metrics.ts';
import type { ExecutableNode } from './node.ts';
import { createNode } from './operators/create-node.ts';
import { Outbox, type Topics } from './outbox.ts';
import { planSubtopology } from './plan.ts';
import { Punctuations } from './punctuation.ts';
import { sinkNode } from './sink.ts';
import { Task, type TaskState } from './task.ts';
import { fullTopicName, type TopicNaming } from './topic-names.ts';
import { wire } from './wiring.ts';

/** What every task of a topology shares. */
export interface TaskEnvironment extends TopicNaming {
  readonly graph: TopologyGraph;
  readonly log: Pick<Log, 'read'>;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  readonly breathe: () => Promise<void> | undefined;
  /** Record cache: 0 switches it off. */
  readonly recordCacheBytes: number;
  readonly handlers?: Partial<ExceptionHandlers>;
}

/** One sub-topology on one partition, and where its last commit left it. */
export interface TaskPlace {
  readonly subtopology: Subtopology;
  readonly partition: number;
  readonly stores: ReadonlyMap<string, StateStore>;
  /** Partitions that it reads, and from where on. */
  readonly inputs: readonly TaskInput[];
  /** Where its sends go. */
  readonly topics: Topics;
  readonly saved: TaskState | undefined;
}

export interface TaskInput {
  readonly of: TopicPartition;
  readonly source: SourceNode;
  readonly offset: number;
  /** Set when the topology itself writes the topic, in this process. */
  readonly channel?: Channel | undefined;
}

export function taskId({ subtopology, partition }: Pick<TaskPlace, 'subtopology' | 'partition'>): string {
  return `${subtopology.id}_${partition}`;
}

export function openTask(environment: TaskEnvironment, place: TaskPlace): Task {
  const { graph, applicationId, log, metrics, nowMs, breathe } = environment;
  const { subtopology, partition, stores, topics } = place;
  const id = taskId(place);
  const saved = place.saved ?? newTask;
  const outbox = new Outbox(topics, { sorts: planSubtopology(graph, subtopology).sortsSends });
  const handlers = { ...logAndFail, ...environment.handlers };
  const fullName = (topic: string) => fullTopicName(graph, environment, topic);
  const deadLetterTopic = environment.deadLetterTopic && fullName(environment.deadLetterTopic);
  const failures = new Failures({ taskId: id, handlers, metrics, outbox, deadLetterTopic });
  const punctuations = new Punctuations(saved.schedules);
  const holder: { task?: Task } = {};
  const facts = {
    applicationId,
    taskId: id,
    partition,
    streamTimeMs: () => holder.task?.streamTimeMs ?? saved.streamTimeMs,
    nowMs,
  };
  const recordCache = environment.recordCacheBytes > 0;
  const forNodes = { stores, specs: graph.stores, task: facts, punctuations, metrics, recordCache };

  const create = (name: string): ExecutableNode => {
    const node = graph.nodes.get(name)!;
    if (node.kind === 'sink') return sinkNode(node, fullName, outbox, failures);
    if (node.kind === 'source') throw new Error(`Source '${name}' cannot be part of a unit.`);
    const running = createNode(node, forNodes);
    if (running.observedTimeMs !== undefined) running.observedTimeMs = saved.observed[name] ?? -1;
    return running;
  };
  const wiring = wire({
    graph,
    subtopology,
    punctuations,
    create,
    onFailure: (node, record, error) => failures.processing(node, record.origin, error),
  });
  const inputs = place.inputs.map(
    ({ of, source, offset, channel }) =>
      new InputPartition({
        partition: of,
        source,
        offset,
        partitionTimeMs: saved.partitionTimes[of.topic] ?? -1,
        read: (tp, from, limits) => log.read(tp, from, limits),
        channel,
        onFailure: (origin, error) => failures.deserialization(source.name, origin, error),
        dropped: metrics.counter('dropped-records', { node: source.name }),
      }),
  );
  const { sources, units, nodes } = wiring;
  const task = new Task({
    id,
    inputs,
    sources,
    units,
    nodes,
    stores,
    punctuations,
    streamTimeMs: saved.streamTimeMs,
    breathe,
    onBatchEnd: () => outbox.close(),
  });
  holder.task = task;
  return task;
}

const newTask: TaskState = { streamTimeMs: -1, observed: {}, partitionTimes: {}, schedules: {} };
