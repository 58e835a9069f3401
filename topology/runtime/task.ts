import type { StateStore } from '../../state/store.ts';
import type { SourceNode } from '../graph/graph.ts';
import type { ExecutableNode } from './node.ts';
import type { InputPartition } from './input-partition.ts';
import type { Punctuations, ScheduleTimes } from './punctuation.ts';
import { StreamRecord } from './stream-record.ts';
import type { BatchScope, Delivery, Edge, Unit } from './unit.ts';

/**
 * A task: one sub-topology on one partition. It polls a batch, runs its units over it in topological order, and keeps
 * what belongs to the commit: its clocks, its punctuation schedule, its stores.
 *
 *     inputs ──poll: lowest head timestamp first──> sources ──> unit ──> unit ──> … ──> sinks
 */
export class Task {
  readonly id: string;
  readonly inputs: readonly InputPartition[];
  readonly stores: ReadonlyMap<string, StateStore>;
  readonly #options: TaskOptions;
  readonly #sources: readonly RunningSource[];
  #streamTimeMs: number;

  constructor(options: TaskOptions) {
    this.id = options.id;
    this.inputs = options.inputs;
    this.stores = options.stores;
    this.#options = options;
    this.#streamTimeMs = options.streamTimeMs;
    this.#sources = options.sources;
  }

  get streamTimeMs(): number {
    return this.#streamTimeMs;
  }

  /** Event time of the record that would be processed next; undefined when nothing is buffered. */
  get headTimestamp(): number | undefined {
    return this.#oldestInput()?.head!.timestamp;
  }

  /** Bytes that wait for the commit. */
  get dirtyBytes(): number {
    let bytes = 0;
    for (const store of this.stores.values()) bytes += store.dirtyBytes;
    return bytes;
  }

  get hasPendingFlush(): boolean {
    return this.#options.nodes.some((node) => node.hasPending?.() === true);
  }

  nextWallClockMs(): number | undefined {
    return this.#options.punctuations.nextWallClockMs();
  }

  /** Processes up to `maxRecords` buffered records; how many it was. */
  async run(maxRecords: number): Promise<number> {
    const streamTimesMs: number[] = [];
    let taken = 0;
    for (; taken < maxRecords; taken++) {
      const input = this.#oldestInput();
      if (input === undefined) break;
      const { key, value, timestamp, origin, reject } = input.shift();
      if (reject !== undefined) {
        reject();
        continue;
      }
      if (timestamp > this.#streamTimeMs) this.#streamTimeMs = timestamp;
      const position = streamTimesMs.push(this.#streamTimeMs) - 1;
      const source = this.#sources.find(({ node }) => node === input.source)!;
      const { headers } = origin;
      const turn = source.tracked ? [position, 0] : undefined;
      const record = new StreamRecord(
        key,
        value,
        timestamp,
        headers,
        position,
        this.#streamTimeMs,
        origin,
        turn,
        undefined,
      );
      for (const edge of source.edges) {
        edge.outputs.push(turn === undefined ? record : record.withTurn([...turn, edge.index]));
      }
      // An input that runs dry ends the batch: whether its next record is older than the others' is not known yet.
      if (input.buffered === 0 && this.inputs.length > 1) {
        taken += 1;
        break;
      }
    }
    await this.#runUnits({ ...this.#scope(), streamTimesMs });
    return taken;
  }

  /** Runs what is due on wall-clock time; true when something was. */
  async punctuate(wallClockMs: number): Promise<boolean> {
    const nextMs = this.nextWallClockMs();
    if (nextMs === undefined || nextMs > wallClockMs) return false;
    await this.#runUnits({ ...this.#scope(), wallClockMs });
    return true;
  }

  /** Forwards what caches and processors hold back, in topological order, since a flush makes new inputs further down. */
  async flush(): Promise<void> {
    await this.#runUnits({ ...this.#scope(), flush: true });
  }

  /** What the commit keeps besides stores and offsets. */
  state(): TaskState {
    const observed: { [node: string]: number } = {};
    for (const { name, observedTimeMs } of this.#options.nodes) {
      if (observedTimeMs !== undefined) observed[name] = observedTimeMs;
    }
    const partitionTimes: { [topic: string]: number } = {};
    for (const { partition, consumedTimeMs } of this.inputs) partitionTimes[partition.topic] = consumedTimeMs;
    const { punctuations } = this.#options;
    return { streamTimeMs: this.#streamTimeMs, observed, partitionTimes, schedules: punctuations.times() };
  }

  close(): void {
    for (const node of this.#options.nodes) node.close?.();
  }

  #scope(): BatchScope {
    return {
      streamTimesMs: [],
      streamTimeMs: this.#streamTimeMs,
      wallClockMs: undefined,
      flush: false,
      flushOrder: 0,
    };
  }

  async #runUnits(scope: BatchScope): Promise<void> {
    for (const { unit, inputs } of this.#options.units) {
      const deliveries: Delivery[] = [];
      for (const { place, edge } of inputs) {
        if (edge.outputs.length === 0) continue;
        deliveries.push({ place, records: edge.outputs });
        edge.outputs = [];
      }
      await unit.run(deliveries, scope);
      await this.#options.breathe();
    }
    this.#options.onBatchEnd();
  }

  /** Ties go to the input that stands first: topics as the sources name them. */
  #oldestInput(): InputPartition | undefined {
    let oldest: InputPartition | undefined;
    for (const input of this.inputs) {
      if (input.head === undefined) continue;
      if (oldest === undefined || input.head.timestamp < oldest.head!.timestamp) oldest = input;
    }
    return oldest;
  }
}

export interface TaskOptions {
  /** `<sub-topology>_<partition>` */
  readonly id: string;
  readonly inputs: readonly InputPartition[];
  readonly sources: readonly RunningSource[];
  readonly units: readonly WiredUnit[];
  readonly nodes: readonly ExecutableNode[];
  readonly stores: ReadonlyMap<string, StateStore>;
  readonly punctuations: Punctuations;
  readonly streamTimeMs: number;
  /** Called between units: lets waiting look-ups through. */
  readonly breathe: () => Promise<void> | undefined;
  /** Called after the units have run: sends go out. */
  readonly onBatchEnd: () => void;
}

export interface RunningSource {
  readonly node: SourceNode;
  readonly edges: readonly Edge[];
  readonly tracked: boolean;
}

export interface WiredUnit {
  readonly unit: Unit;
  /** The edges that end in this unit, and the member each of them enters. */
  readonly inputs: readonly { readonly place: number; readonly edge: Edge }[];
}

export interface TaskState {
  readonly streamTimeMs: number;
  readonly observed: { readonly [node: string]: number };
  readonly partitionTimes: { readonly [topic: string]: number };
  readonly schedules: ScheduleTimes;
}
