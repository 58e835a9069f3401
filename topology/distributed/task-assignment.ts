import { Loads, Shares } from './task-shares.ts';

/**
 * Who of a group gets which tasks: Kafka Streams' highly available assignment (KIP-441), as a pure function.
 *
 * 1. *Wanted*: everybody has as many tasks as everybody else, and as many with state, give or take one; and a process as many as are
 *    due to its threads (task-shares.ts). Who runs a task keeps it as far as that allows; of the rest a task goes where most of its
 *    state is, then to whoever has least, spread by sub-topology.
 * 2. *Given*: a task whose wanted owner lacks state goes to one that has it (the present owner, if that is one), and the
 *    wanted owner warms up: it reads the changelogs, and gets the task at a later rebalance, when it has nearly caught up.
 * 3. *Standbys*: replicas of tasks with state, in other processes than the active and each other: a process dies with its threads.
 *
 * How far a member is it tells as the sum of its positions in the task's changelogs. The furthest of all members is taken for the
 * end: a lag is what a member lacks of that, in offsets. So nobody has to be asked, and the answer follows from what was told.
 */
export function assignTasks(
  tasks: readonly TaskToAssign[],
  members: readonly TaskMember[],
  options: TaskAssignmentOptions,
): TaskAssignment {
  if (members.length === 0) return new Map();
  const sorted = members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const lags = new Lags(sorted);
  const wanted = balance(tasks, sorted, lags);
  const actives = placeActives(tasks, sorted, wanted, lags, options);
  const replicas = new Map<string, AssignedReplicas>();
  let warmups = 0;
  for (const { id } of tasks) {
    const owner = wanted.get(id)!;
    const active = actives.get(id)!;
    const warmup = owner !== active && warmups++ < options.maxWarmupReplicas ? owner.memberId : undefined;
    replicas.set(id, { active: active.memberId, warmup, standbys: [] });
  }
  for (let each = 0; each < options.standbyReplicas; each++) addStandbys(tasks, sorted, replicas, lags, options);
  return replicas;
}

export interface TaskToAssign {
  readonly id: string;
  readonly subtopology: number;
  readonly isStateful: boolean;
}

export interface TaskMember {
  readonly memberId: string;
  /** Members of one process are threads of it. */
  readonly processId: string;
  /** Tasks that it runs. */
  readonly owned: ReadonlySet<string>;
  /** How far its folder is in the changelogs of tasks, whether it runs them or not. */
  readonly positions: ReadonlyMap<string, number>;
}

export interface TaskAssignmentOptions {
  /** Kafka Streams' `num.standby.replicas`. */
  readonly standbyReplicas: number;
  /** Records of changelogs that an instance may lack when it is given a task (`acceptable.recovery.lag`). */
  readonly acceptableRecoveryLag: number;
  /** Of all tasks, at a time (`max.warmup.replicas`). */
  readonly maxWarmupReplicas: number;
}

/** By task id. */
export type TaskAssignment = ReadonlyMap<string, AssignedReplicas>;

/** Member ids. */
export interface AssignedReplicas {
  readonly active: string;
  readonly warmup: string | undefined;
  readonly standbys: readonly string[];
}

/** What members lack of tasks' state. */
class Lags {
  readonly #furthest = new Map<string, number>();

  constructor(members: readonly TaskMember[]) {
    for (const { positions } of members) {
      for (const [id, position] of positions) {
        this.#furthest.set(id, Math.max(position, this.#furthest.get(id) ?? 0));
      }
    }
  }

  of(id: string, { positions }: TaskMember): number {
    return (this.#furthest.get(id) ?? 0) - (positions.get(id) ?? 0);
  }

  has(id: string, { positions }: TaskMember): boolean {
    return (positions.get(id) ?? 0) > 0;
  }
}

/** The second step. */
function placeActives(
  tasks: readonly TaskToAssign[],
  members: readonly TaskMember[],
  wanted: ReadonlyMap<string, TaskMember>,
  lags: Lags,
  { acceptableRecoveryLag }: TaskAssignmentOptions,
): ReadonlyMap<string, TaskMember> {
  const isReady = (id: string, member: TaskMember) => lags.of(id, member) <= acceptableRecoveryLag;
  const actives = new Map([...wanted].filter(([id, owner]) => isReady(id, owner)));
  const loads = new Loads(members, actives.values());
  for (const { id } of tasks) {
    if (actives.has(id)) continue;
    const ready = members.filter((member) => isReady(id, member));
    const active = ready.find(({ owned }) => owned.has(id)) ?? loads.least(ready)!;
    actives.set(id, active);
    loads.add(active);
  }
  return actives;
}

/**
 * The third: one more replica of every task, with whoever has state of it, within an even share; else where least is. None where every
 * process has one.
 */
function addStandbys(
  tasks: readonly TaskToAssign[],
  members: readonly TaskMember[],
  replicas: Map<string, AssignedReplicas>,
  lags: Lags,
  { standbyReplicas }: TaskAssignmentOptions,
): void {
  const named = (ids: readonly (string | undefined)[]) => members.filter(({ memberId }) => ids.includes(memberId));
  const all = [...replicas.values()];
  const standbys = new Loads(
    members,
    all.flatMap((each) => named(each.standbys)),
  );
  const loads = new Loads(
    members,
    all.flatMap((each) => named([each.active, each.warmup, ...each.standbys])),
  );
  const stateful = tasks.filter(({ isStateful }) => isStateful);
  const share = Math.ceil((stateful.length * standbyReplicas) / members.length);
  for (const { id } of stateful) {
    const has = replicas.get(id)!;
    const taken = new Set(named([has.active, ...has.standbys]).map(({ processId }) => processId));
    const free = members.filter(({ memberId, processId }) => memberId !== has.warmup && !taken.has(processId));
    const holders = free.filter((member) => lags.has(id, member) && standbys.of(member) < share);
    const [holder] = holders.toSorted((a, b) => lags.of(id, a) - lags.of(id, b));
    const standby = holder ?? loads.least(free.filter((member) => standbys.of(member) < share)) ?? loads.least(free);
    if (standby === undefined) continue;
    standbys.add(standby);
    loads.add(standby);
    replicas.set(id, { ...has, standbys: [...has.standbys, standby.memberId] });
  }
}

/** The first step: tasks with state are shared out, then those without around them. */
function balance(
  tasks: readonly TaskToAssign[],
  members: readonly TaskMember[],
  lags: Lags,
): ReadonlyMap<string, TaskMember> {
  const owners = new Map<string, TaskMember>();
  for (const isStateful of [true, false]) {
    const these = tasks.filter((task) => task.isStateful === isStateful);
    const shares = new Shares(members, owners, these.length);
    for (const member of members) {
      for (const task of keptFirst(these, member, members, lags)) {
        if (!owners.has(task.id)) shares.give(task.id, member);
      }
    }
    for (const task of these) {
      if (owners.has(task.id)) continue;
      const holders = members.filter((member) => lags.has(task.id, member));
      holders.sort((a, b) => lags.of(task.id, a) - lags.of(task.id, b));
      holders.some((member) => shares.give(task.id, member));
    }
    for (const task of these) {
      const siblings = these.filter(({ subtopology }) => subtopology === task.subtopology);
      if (!owners.has(task.id)) shares.giveToLeast(task.id, siblings);
    }
  }
  return owners;
}

/** What a member runs, last what it had best give away: what others have the state of, then what it has most of. */
function keptFirst(
  tasks: readonly TaskToAssign[],
  member: TaskMember,
  members: readonly TaskMember[],
  lags: Lags,
): TaskToAssign[] {
  const seen = new Map<number, number>();
  const owned = tasks.filter(({ id }) => member.owned.has(id));
  const ranked = owned.map((task) => {
    const others = members.filter((other) => other !== member && lags.has(task.id, other));
    const rank = seen.get(task.subtopology) ?? 0;
    seen.set(task.subtopology, rank + 1);
    return { task, rank, otherLag: Math.min(Infinity, ...others.map((other) => lags.of(task.id, other))) };
  });
  return ranked
    .toSorted((a, b) => (a.otherLag === b.otherLag ? a.rank - b.rank : b.otherLag - a.otherLag))
    .map(({ task }) => task);
}
