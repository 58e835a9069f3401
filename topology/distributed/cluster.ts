import type { AssignedTask } from './environment.ts';

/** What the leader of the group tells every member: who the members are, and which of them has which task. */
export interface SharedOut {
  readonly members: readonly { readonly memberId: string; readonly url?: string | undefined }[];
  /** By task id: places in `members`. A task that is not here has nobody. */
  readonly tasks: { readonly [taskId: string]: Replicas };
}

export interface Replicas {
  readonly active?: number | undefined;
  /** Follows the task's changelogs, and gets it when it has caught up. */
  readonly warmup?: number | undefined;
  readonly standbys: readonly number[];
}

/** Kafka Streams' `KeyQueryMetadata`, of a task. */
export interface TaskOwner {
  readonly taskId: string;
  readonly subtopology: number;
  readonly partition: number;
  /** Names of the stores that have their rows of this partition here. */
  readonly stores: readonly string[];
  /** Undefined while the task is nobody's, and before the group was heard of. It may still be restoring. */
  readonly active: Host | undefined;
  readonly standbys: readonly Host[];
}

export interface Host {
  /** Undefined when it has told none. */
  readonly url: string | undefined;
  /** This instance. */
  readonly isLocal: boolean;
}

/** What one member knows of the group. */
export interface Cluster {
  /** All members of the group, with or without tasks. */
  readonly members: readonly Host[];
  owner(taskId: string, task: AssignedTask): TaskOwner;
  /** Ids of the tasks that this member follows; of the second it is to be the owner when it has caught up. */
  readonly standbys: readonly string[];
  readonly warmups: readonly string[];
  /** Tasks of this member are nobody's: it let them go, or the group has given it up. */
  withoutMine(taskIds: readonly string[]): Cluster;
}

export function clusterOf({ members, tasks }: SharedOut, me: string): Cluster {
  const hosts = members.map(({ memberId, url }): Host => ({ url, isLocal: memberId === me }));
  const isMe = (place: number | undefined) => place !== undefined && hosts[place]?.isLocal === true;
  const idsWhere = (follows: (replicas: Replicas) => boolean) =>
    Object.entries(tasks).flatMap(([id, replicas]) => (follows(replicas) ? id : []));
  return {
    members: hosts,
    standbys: idsWhere(({ standbys }) => standbys.some(isMe)),
    warmups: idsWhere(({ warmup }) => isMe(warmup)),
    owner: (taskId, { subtopology, partition }) => {
      const replicas = tasks[taskId];
      return {
        taskId,
        subtopology: subtopology.id,
        partition,
        stores: subtopology.stores,
        active: replicas?.active === undefined ? undefined : hosts[replicas.active],
        standbys: (replicas?.standbys ?? []).flatMap((place) => hosts[place] ?? []),
      };
    },
    withoutMine: (taskIds) => {
      const left = { ...tasks };
      for (const id of taskIds) {
        const replicas = left[id];
        if (replicas !== undefined && isMe(replicas.active)) left[id] = { ...replicas, active: undefined };
      }
      return clusterOf({ members, tasks: left }, me);
    },
  };
}

export const knowsNobody = clusterOf({ members: [], tasks: {} }, '');
