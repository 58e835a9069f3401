import {
  withholdMoving,
  type Assigned,
  type Assignor,
  type GroupAssignment,
  type Subscription,
} from '../../log/index.ts';
import type { Replicas, SharedOut } from './cluster.ts';
import type { AssignedTask } from './environment.ts';
import { assignTasks, type TaskAssignmentOptions, type TaskMember } from './task-assignment.ts';

/**
 * Shares out the tasks of a topology in the group's protocol: a task's partitions of all its sources go to one member. Members tell
 * their address and how far their folders are in changelogs, the leader tells all of them who has what.
 */
export class TaskAssignor implements Assignor {
  readonly name = 'millrace-tasks';
  readonly #options: TaskAssignorOptions;

  constructor(options: TaskAssignorOptions) {
    this.#options = options;
  }

  async userData(): Promise<Uint8Array> {
    const { advertisedUrl, processId, positions } = this.#options;
    return encode({ url: advertisedUrl, processId, positions: Object.fromEntries(await positions()) } satisfies Told);
  }

  assign(subscriptions: readonly Subscription[]): GroupAssignment {
    const told = subscriptions.map(({ userData }) => decode<Told>(userData));
    const tasks = [...this.#options.tasks].map(([id, task]) => ({
      id,
      subtopology: task.subtopology.id,
      isStateful: task.subtopology.stores.length > 0,
      partitions: task.partitions,
    }));
    const members = subscriptions.map(({ memberId, owned }, at): TaskMember => {
      const { processId = memberId, positions } = told[at]!;
      const ownedTasks = new Set(tasksOf(this.#options.tasks, owned));
      return { memberId, processId, owned: ownedTasks, positions: new Map(Object.entries(positions)) };
    });
    const assignment = assignTasks(tasks, members, this.#options.assignment);

    const wanted = new Map(subscriptions.map(({ memberId }): [string, Assigned[]] => [memberId, []]));
    for (const { id, partitions } of tasks) wanted.get(assignment.get(id)!.active)!.push(...partitions);
    const given = withholdMoving(subscriptions, wanted);

    const place = (memberId: string) => subscriptions.findIndex((each) => each.memberId === memberId);
    const shared: Record<string, Replicas> = {};
    for (const { id, partitions } of tasks) {
      const { active, warmup, standbys } = assignment.get(id)!;
      const names = new Set(given.get(active)!.map(nameOf));
      shared[id] = {
        active: partitions.every((each) => names.has(nameOf(each))) ? place(active) : undefined,
        warmup: warmup === undefined ? undefined : place(warmup),
        standbys: standbys.map(place),
      };
    }
    const all = subscriptions.map(({ memberId }, at) => ({ memberId, url: told[at]!.url }));
    return { partitions: given, userData: encode({ members: all, tasks: shared } satisfies SharedOut) };
  }

  onAssignment({ memberId, userData }: { readonly memberId: string; readonly userData: Uint8Array }): void {
    this.#options.onAssignment(memberId, decode<SharedOut>(userData));
  }
}

export interface TaskAssignorOptions {
  /** Every task of the topology, by id. */
  readonly tasks: ReadonlyMap<string, AssignedTask>;
  readonly advertisedUrl: string | undefined;
  readonly processId: string | undefined;
  /** How far this instance's folder is, by task id (`TaskMember.positions`). */
  readonly positions: () => Promise<ReadonlyMap<string, number>>;
  readonly assignment: TaskAssignmentOptions;
  readonly onAssignment: (memberId: string, shared: SharedOut) => void;
}

/** What a member tells of itself. */
interface Told {
  readonly url?: string | undefined;
  /** Undefined: it is alone in its process. */
  readonly processId?: string | undefined;
  readonly positions: { readonly [taskId: string]: number };
}

/** Of the tasks that read these partitions. */
export function tasksOf(tasks: ReadonlyMap<string, AssignedTask>, partitions: readonly Assigned[]): string[] {
  const names = new Set(partitions.map(nameOf));
  return [...tasks].filter(([, task]) => task.partitions.some((each) => names.has(nameOf(each)))).map(([id]) => id);
}

function nameOf({ topic, partition }: Assigned): string {
  return `${topic}/${partition}`;
}

function encode(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function decode<T>(bytes: Uint8Array): T {
  return JSON.parse(Buffer.from(bytes).toString()) as T;
}
