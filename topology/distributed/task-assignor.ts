import {
  assignPartitions,
  withholdMoving,
  type Assigned,
  type Assignor,
  type GroupAssignment,
  type Subscription,
} from '../../log/index.ts';
import type { Replicas, SharedOut } from './cluster.ts';
import type { AssignedTask } from './distributed-task.ts';

/**
 * Shares out the tasks of a topology. Members tell their address when they join, the leader tells all of them who has what.
 */
export class TaskAssignor implements Assignor {
  readonly name = 'millrace-tasks';
  readonly #options: TaskAssignorOptions;

  constructor(options: TaskAssignorOptions) {
    this.#options = options;
  }

  userData(): Uint8Array {
    return encode({ url: this.#options.advertisedUrl } satisfies Told);
  }

  assign(members: readonly Subscription[], partitionCounts: ReadonlyMap<string, number>): GroupAssignment {
    const partitions = withholdMoving(members, assignPartitions(members, partitionCounts));
    const tasks: Record<string, Replicas> = {};
    for (const [id, task] of this.#options.tasks) {
      const active = members.findIndex(({ memberId }) => reads(task, partitions.get(memberId) ?? []));
      if (active >= 0) tasks[id] = { active, standbys: [] };
    }
    const shared: SharedOut = {
      members: members.map(({ memberId, userData }) => ({ memberId, url: decode<Told>(userData).url })),
      tasks,
    };
    return { partitions, userData: encode(shared) };
  }

  onAssignment({ memberId, userData }: { readonly memberId: string; readonly userData: Uint8Array }): void {
    this.#options.onAssignment(memberId, decode<SharedOut>(userData));
  }
}

export interface TaskAssignorOptions {
  /** Every task of the topology, by id. */
  readonly tasks: ReadonlyMap<string, AssignedTask>;
  readonly advertisedUrl?: string | undefined;
  readonly onAssignment: (memberId: string, shared: SharedOut) => void;
}

/** What a member tells of itself. */
interface Told {
  readonly url?: string | undefined;
}

/** A task reads its partition of its sources. */
export function reads({ partition, sources }: AssignedTask, partitions: readonly Assigned[]): boolean {
  return partitions.some((of) => of.partition === partition && sources.some(({ topic }) => topic === of.topic));
}

function encode(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function decode<T>(bytes: Uint8Array): T {
  return JSON.parse(Buffer.from(bytes).toString()) as T;
}
