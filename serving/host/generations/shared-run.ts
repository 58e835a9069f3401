import type { ConsumedOffset, Log, TopicPartition } from '../../../log/index.ts';
import { shopTopics, shopTopology } from '../../../processors/index.ts';
import type { SchemaRegistry } from '../../../schemas/index.ts';
import type { Engine, GroupCommit } from '../../../state/index.ts';
import {
  DistributedRuntime,
  readTopics,
  type DistributedOptions,
  type SourceGate,
  type SourceHold,
} from '../../../topology/index.ts';
import { ClusterReader } from '../cluster-reader.ts';
import type { KafkaSettings } from '../kafka-database.ts';
import type { HostSettings } from '../messages.ts';
import { askPeer } from '../peers.ts';
import { StoreReader } from '../store-reader.ts';
import { activeEntry, type GenerationEntry, type HandOver } from './generation-book.ts';
import type { SharedBook } from './shared-book.ts';
import { shopOptions } from './shop-runtime.ts';
import { withinSkew } from './skew-bound.ts';
import { partitionsOf, sourcePartitions } from './start-offsets.ts';

/** What all generations of an instance share. */
export interface SharedParts {
  readonly settings: HostSettings & { readonly kafka: KafkaSettings };
  readonly engine: Engine;
  readonly commits: GroupCommit;
  readonly log: Log;
  readonly registry: SchemaRegistry;
  readonly partitions: number;
}

export type RunHooks = Pick<
  DistributedOptions,
  'background' | 'memoryShare' | 'onCommit' | 'onFailure' | 'onRecovery' | 'onRestore' | 'onTasks' | 'paused'
>;

/** This instance's part in one generation, in one of its phases: as the active one, or on its way to be. */
export class SharedRun {
  readonly entry: GenerationEntry;
  /** Tells it from all other runs. */
  readonly group: string;
  readonly runtime: DistributedRuntime;
  /** Of the tasks here. */
  readonly reader: StoreReader;
  /** Of all instances' tasks. */
  readonly cluster: ClusterReader;
  readonly #gate: SourceGate;

  /** Creates topics that are missing. It joins the group when it is started. */
  static async open(parts: SharedParts, book: SharedBook, entry: GenerationEntry, hooks: RunHooks): Promise<SharedRun> {
    const { kafka, storeCacheBytes, dirtyBytesMax } = parts.settings;
    const { engine, commits, registry, partitions, log } = parts;
    const { applicationId, parameters, state } = entry;
    const { commitIntervalMs = 100, standbyReplicas = 0, processingGuarantee = 'exactly_once', processId } = kafka;
    const isActive = state === 'active';
    const gate = new BookGate(log, book, { entry, sources: sourcePartitions(partitions) });
    const runtime = await DistributedRuntime.open({
      ...hooks,
      ...{ engine, commits, log },
      topology: await shopTopology({ registry, partitions, parameters }),
      applicationId,
      group: groupOf(entry),
      ownOutputs: !isActive,
      gate,
      ...shopOptions(partitions),
      config: {
        storeCacheBytes,
        maxDirtyBytes: dirtyBytesMax,
        // Nobody waits for the newest record of one that replays.
        commitIntervalMs: isActive ? commitIntervalMs : Math.max(commitIntervalMs, replayCommitIntervalMs),
        standbyReplicas: isActive ? standbyReplicas : 0,
      },
      processingGuarantee,
      processId,
    });
    return new SharedRun(engine, entry, runtime, gate);
  }

  private constructor(engine: Engine, entry: GenerationEntry, runtime: DistributedRuntime, gate: SourceGate) {
    this.entry = entry;
    this.group = groupOf(entry);
    this.runtime = runtime;
    this.#gate = gate;
    this.reader = new StoreReader(engine, runtime);
    this.cluster = new ClusterReader(
      this.reader,
      () => runtime.owners(),
      (url, query, stale) => askPeer(url, { query, stale, group: this.group }),
    );
  }

  /** Looks how far it may read now. */
  async refresh(): Promise<void> {
    await this.#gate.refresh();
  }

  isOf(entry: GenerationEntry | undefined): boolean {
    return entry !== undefined && groupOf(entry) === this.group && entry.state === this.entry.state;
  }

  /** Where other members of its group answer. */
  get peers(): readonly string[] {
    return this.runtime.members.flatMap(({ isLocal, url }) => (isLocal ? [] : (url ?? [])));
  }
}

/** A phase has a group of its own: all its members read the same topics. */
export function groupOf({ applicationId, phase = 0 }: GenerationEntry): string {
  return phase === 0 ? applicationId : `${applicationId}.${phase}`;
}

/**
 * Lets the active generation read until another takes over, and the one on its way no further than the active one has committed:
 * so wherever that one is held, nobody is past it.
 */
class BookGate implements SourceGate {
  readonly #log: Log;
  readonly #shared: SharedBook;
  readonly #entry: GenerationEntry;
  readonly #sources: readonly TopicPartition[];
  #ends: ReadonlyMap<string, number> = new Map();

  constructor(
    log: Log,
    shared: SharedBook,
    of: { readonly entry: GenerationEntry; readonly sources: readonly TopicPartition[] },
  ) {
    this.#log = log;
    this.#shared = shared;
    this.#entry = of.entry;
    this.#sources = of.sources;
  }

  async refresh(): Promise<void> {
    await this.#shared.refresh();
    if (this.#entry.state === 'active' || !this.isOpen) return;
    const leading = groupOf(activeEntry(this.#shared.book));
    const committed = await this.#log.committedOffsets(leading, this.#sources);
    const ends = new Map(this.#sources.map((of, at) => [nameOf(of), committed[at] ?? 0]));
    const events = this.#sources.filter(({ topic }) => topic === shopTopics.interactions);
    const bound = { log: this.#log, group: groupOf(this.#entry), skewMs: eventTimeSkewMsMax };
    const eventEnds = await withinSkew(
      bound,
      events,
      events.map((of) => ends.get(nameOf(of))!),
    );
    events.forEach((of, at) => ends.set(nameOf(of), eventEnds[at]!));
    this.#ends = ends;
  }

  get isOpen(): boolean {
    const { id, state } = this.#entry;
    const now = this.#shared.book.generations.find((entry) => entry.id === id);
    return now?.state === state && groupOf(now) === groupOf(this.#entry);
  }

  get hold(): SourceHold | undefined {
    const { handOver } = this.#shared.book;
    return handOver === undefined || this.#entry.state !== 'active' ? undefined : holdOf(handOver, this.#shared.marks);
  }

  endOf(of: TopicPartition): number | undefined {
    if (this.#entry.state === 'active' || !sourceTopics.has(of.topic)) return undefined;
    return this.#ends.get(nameOf(of)) ?? 0;
  }
}

/** Sources first; then the topics that it writes as well, for the next one will write them. */
export function holdOf({ id, sources }: HandOver, marks: TopicPartition): SourceHold {
  if (sources === undefined) return { id: `${id}/sources`, topics: sourceTopics, marks };
  return { id: `${id}/outputs`, topics: sharedTopics, marks };
}

const sourceTopics: ReadonlySet<string> = new Set([shopTopics.interactions, shopTopics.productsHistory]);
const sharedTopics: ReadonlySet<string> = new Set([...sourceTopics, shopTopics.clean, shopTopics.products]);

/**
 * Offsets with which a generation begins its next phase: where it is in what it goes on reading, and the ends of what it begins to
 * read. For a moment at which nobody writes either.
 */
export async function nextPhaseOffsets(
  { log, registry, partitions }: Pick<SharedParts, 'log' | 'registry' | 'partitions'>,
  entry: GenerationEntry,
  { ownOutputs }: { readonly ownOutputs: boolean },
): Promise<ConsumedOffset[]> {
  const { graph } = await shopTopology({ registry, partitions, parameters: entry.parameters });
  const naming = { applicationId: entry.applicationId, deadLetterTopic: shopOptions(partitions).deadLetterTopic };
  const before = readTopics(graph, { ...naming, ownOutputs: !ownOutputs });
  const counts = new Map((await log.topics()).map((topic) => [topic.name, topic.partitions]));
  const offsets: ConsumedOffset[] = [];
  for (const [name, topic] of readTopics(graph, { ...naming, ownOutputs })) {
    const of = partitionsOf(topic, counts.get(topic) ?? 0);
    if (before.get(name) === topic) {
      const committed = await log.committedOffsets(groupOf(entry), of);
      for (const [at, offset] of committed.entries()) if (offset !== undefined) offsets.push({ ...of[at]!, offset });
    } else {
      for (const each of of) offsets.push({ ...each, offset: await log.listOffsets(each, 'latest') });
    }
  }
  return offsets;
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** Years pass in minutes: a look at the book lets so much through. */
const eventTimeSkewMsMax = 30 * 24 * 3_600_000;
/** A commit is a transaction of each task. */
const replayCommitIntervalMs = 1000;
