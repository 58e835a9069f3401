import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assignTasks, type TaskAssignment, type TaskMember, type TaskToAssign } from './task-assignment.ts';

const moveAtOnce = { standbyReplicas: 1, acceptableRecoveryLag: 100, maxWarmupReplicas: 2 };

/** A group whose members come, go, and come back with their folders. Changelogs grow by as much as `grow` says, at each step. */
const histories = fc.record({
  stateful: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
  stateless: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 2 }),
  standbyReplicas: fc.integer({ min: 0, max: 2 }),
  /** Of each member that may come. */
  processes: fc.array(fc.constantFrom('p', 'q', 'r'), { minLength: 6, maxLength: 6 }),
  steps: fc.array(
    fc.record({ comes: fc.boolean(), who: fc.integer({ min: 0, max: 5 }), grow: fc.integer({ min: 0, max: 150 }) }),
    { minLength: 1, maxLength: 15 },
  ),
});

test('tasks are given once, evenly, and stay where they are or where their state is', () => {
  fc.assert(
    fc.property(histories, ({ stateful, stateless, standbyReplicas, processes, steps }) => {
      const options = { ...moveAtOnce, standbyReplicas };
      const tasks = tasksOf(stateful, stateless);
      const group = new Group(tasks);
      for (const { comes, who, grow } of steps) {
        if (comes) group.comes(`m${who}`, processes[who]!);
        else group.goes(`m${who}`);
        if (group.members.length === 0) continue;
        // Some rounds: warm-ups catch up in between, and the group comes to rest.
        let last: TaskAssignment = new Map();
        for (let round = 0; ; round++) {
          const before = group.members;
          const assignment = assignTasks(tasks, before, options);
          expect([...assignTasks(tasks, before.toReversed(), options)]).toEqual([...assignment]);
          checkReplicas(tasks, before, assignment, options);
          checkStateIsThere(tasks, before, assignment);
          if (group.isAtRest(assignment) && same(last, assignment)) break;
          last = assignment;
          group.apply(assignment);
          expect(round).toBeLessThan(tasks.length + 5);
        }
        checkBalance(tasks, group.members, last);
        const end = new Map(group.members.map(({ memberId, owned }) => [memberId, owned]));
        group.grow(grow);
        // What has grown moves nothing.
        for (const [id, { active }] of assignTasks(tasks, group.members, options)) {
          expect(end.get(active)!.has(id)).toBe(true);
        }
      }
    }),
    { numRuns: 100 },
  );
});

test('a member that comes or goes moves no more than it must', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 5 }), (count, size) => {
      const tasks = tasksOf([count], []);
      const all = Array.from({ length: size }, (_, n) => member(`m${n}`, [], {}));
      const before = assignTasks(tasks, all, moveAtOnce);
      const owners = all.map(({ memberId }) => member(memberId, ownedBy(before, memberId), {}));
      const more = assignTasks(tasks, [...owners, member('new', [], {})], moveAtOnce);
      expect(moved(before, more)).toBe(Math.floor(count / (size + 1)));
      if (size === 1) return;
      const [gone, ...rest] = owners;
      expect(moved(before, assignTasks(tasks, rest, moveAtOnce))).toBe(gone!.owned.size);
    }),
  );
});

test('a task moves when its new owner has nearly caught up, which warms up until then', () => {
  const tasks = tasksOf([2], []);
  const owner = member('a', ['0_0', '0_1'], { '0_0': 5000, '0_1': 5000 });
  const options = { standbyReplicas: 0, acceptableRecoveryLag: 100, maxWarmupReplicas: 2 };
  const first = assignTasks(tasks, [owner, member('b', [], {})], options);
  expect([...first.values()]).toEqual([
    { active: 'a', warmup: undefined, standbys: [] },
    { active: 'a', warmup: 'b', standbys: [] },
  ]);
  const behind = assignTasks(tasks, [owner, member('b', [], { '0_1': 4899 })], options);
  expect(behind.get('0_1')).toEqual({ active: 'a', warmup: 'b', standbys: [] });
  const near = assignTasks(tasks, [owner, member('b', [], { '0_1': 4900 })], options);
  expect(near.get('0_1')).toEqual({ active: 'b', warmup: undefined, standbys: [] });
});

test('while another warms up its owner goes on, although a standby with less to do has its state', () => {
  const tasks = tasksOf([6], []);
  const a = member('a', ['0_0', '0_1', '0_2', '0_3'], { '0_0': 5000, '0_1': 5000, '0_2': 5000, '0_3': 5000 });
  const c = member('c', ['0_4', '0_5'], { '0_3': 5000, '0_4': 5000, '0_5': 5000 });
  const assignment = assignTasks(tasks, [a, member('b', [], {}), c], moveAtOnce);
  expect(ownedBy(assignment, 'a')).toEqual([...a.owned]);
  expect(assignment.get('0_3')).toMatchObject({ active: 'a', warmup: 'b' });
});

test('after a crash a task goes to its standby, and not to whoever has least', () => {
  const tasks = tasksOf([3], []);
  const a = member('a', ['0_0'], { '0_0': 9000, '0_2': 8990 });
  const b = member('b', ['0_1'], { '0_1': 9000 });
  const assignment = assignTasks(tasks, [a, b, member('c', [], {})], { ...moveAtOnce, standbyReplicas: 0 });
  expect(assignment.get('0_2')).toEqual({ active: 'a', warmup: 'c', standbys: [] });
});

test('members that come back with their folders get what they had, whatever they are called now', () => {
  const tasks = tasksOf([4], []);
  const had = { x: ['0_0', '0_3'], y: ['0_1', '0_2'] };
  const back = Object.entries(had).map(([name, ids]) =>
    member(`${name}-again`, [], Object.fromEntries(ids.map((id) => [id, 700]))),
  );
  const assignment = assignTasks(tasks, back, moveAtOnce);
  for (const [name, ids] of Object.entries(had)) expect(ownedBy(assignment, `${name}-again`)).toEqual(ids);
  expect([...assignment.values()].map(({ warmup }) => warmup)).toEqual([undefined, undefined, undefined, undefined]);
});

test('a standby is in another process than its task, and is none where there is no other', () => {
  const tasks = tasksOf([4], []);
  const threads = ['p', 'p', 'q'].map((processId, n) => ({ ...member(`m${n}`, [], {}), processId }));
  const options = { ...moveAtOnce, standbyReplicas: 2 };
  const processOf = (id: string) => threads.find(({ memberId }) => memberId === id)!.processId;
  for (const { active, standbys } of assignTasks(tasks, threads, options).values()) {
    expect(standbys.map(processOf)).toEqual([processOf(active) === 'p' ? 'q' : 'p']);
  }
  for (const { standbys } of assignTasks(tasks, threads.slice(0, 2), options).values()) expect(standbys).toEqual([]);
});

test('what does not divide evenly is divided among processes, not among threads', () => {
  const tasks = tasksOf([6], []);
  const threads = ['p', 'p', 'q', 'q'].map((processId, n) => ({ ...member(`m${n}`, [], {}), processId }));
  const assignment = assignTasks(tasks, threads, moveAtOnce);
  const loads = threads.map(({ memberId }) => ownedBy(assignment, memberId).length);
  expect(loads).toEqual([2, 1, 2, 1]);
});

function tasksOf(stateful: readonly number[], stateless: readonly number[]): TaskToAssign[] {
  const counts = [...stateful.map((count) => ({ count, isStateful: true })), ...stateless.map(statelessCount)];
  return counts.flatMap(({ count, isStateful }, subtopology) =>
    Array.from({ length: count }, (_, partition) => ({ id: `${subtopology}_${partition}`, subtopology, isStateful })),
  );
}

function statelessCount(count: number): { count: number; isStateful: boolean } {
  return { count, isStateful: false };
}

function member(memberId: string, owned: readonly string[], positions: { readonly [id: string]: number }): TaskMember {
  return { memberId, processId: memberId, owned: new Set(owned), positions: new Map(Object.entries(positions)) };
}

function ownedBy(assignment: TaskAssignment, memberId: string): string[] {
  return [...assignment].filter(([, { active }]) => active === memberId).map(([id]) => id);
}

function moved(before: TaskAssignment, after: TaskAssignment): number {
  return [...after].filter(([id, { active }]) => before.get(id)!.active !== active).length;
}

function same(a: TaskAssignment, b: TaskAssignment): boolean {
  return JSON.stringify([...a]) === JSON.stringify([...b]);
}

function checkReplicas(
  tasks: readonly TaskToAssign[],
  members: readonly TaskMember[],
  assignment: TaskAssignment,
  { standbyReplicas, maxWarmupReplicas }: { readonly standbyReplicas: number; readonly maxWarmupReplicas: number },
): void {
  expect([...assignment.keys()].toSorted()).toEqual(tasks.map(({ id }) => id).toSorted());
  const ids = new Set(members.map(({ memberId }) => memberId));
  const processOf = (id: string) => members.find(({ memberId }) => memberId === id)!.processId;
  let warmups = 0;
  for (const { id, isStateful } of tasks) {
    const { active, warmup, standbys } = assignment.get(id)!;
    const all = [active, ...(warmup === undefined ? [] : [warmup]), ...standbys];
    expect(new Set(all).size).toBe(all.length);
    for (const each of all) expect(ids.has(each)).toBe(true);
    if (warmup !== undefined) warmups += 1;
    // One in each of the processes that have somebody else.
    const others = members.filter(({ memberId, processId }) => memberId !== warmup && processId !== processOf(active));
    const most = Math.min(standbyReplicas, new Set(others.map(({ processId }) => processId)).size);
    expect(standbys).toHaveLength(isStateful ? most : 0);
    expect(new Set([active, ...standbys].map(processOf)).size).toBe(standbys.length + 1);
  }
  expect(warmups).toBeLessThanOrEqual(maxWarmupReplicas);
}

/** Whoever is given a task lacks little of what the furthest has. */
function checkStateIsThere(
  tasks: readonly TaskToAssign[],
  members: readonly TaskMember[],
  assignment: TaskAssignment,
): void {
  for (const { id } of tasks.filter(({ isStateful }) => isStateful)) {
    const position = ({ positions }: TaskMember) => positions.get(id) ?? 0;
    const active = members.find(({ memberId }) => memberId === assignment.get(id)!.active)!;
    expect(position(active)).toBeGreaterThanOrEqual(Math.max(...members.map(position)) - 100);
  }
}

function checkBalance(
  tasks: readonly TaskToAssign[],
  members: readonly TaskMember[],
  assignment: TaskAssignment,
): void {
  const withState = tasks.filter(({ isStateful }) => isStateful);
  for (const counted of [withState, tasks]) {
    const loads = members.map(
      ({ memberId }) => counted.filter(({ id }) => assignment.get(id)!.active === memberId).length,
    );
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
    for (const each of new Set(members.map(({ processId }) => processId))) {
      const threads = members.map(({ processId }, at) => (processId === each ? [loads[at]!] : [])).flat();
      const load = threads.reduce((sum, of) => sum + of, 0);
      const due = (counted.length * threads.length) / members.length;
      expect(Math.abs(load - due)).toBeLessThan(counted === withState ? 1 : 2);
    }
  }
}

/** Folders outlive the members. */
class Group {
  readonly #tasks: readonly TaskToAssign[];
  readonly #ends = new Map<string, number>();
  readonly #folders = new Map<string, Map<string, number>>();
  readonly #processes = new Map<string, string>();
  readonly #present = new Map<string, Set<string>>();
  #last: TaskAssignment = new Map();

  constructor(tasks: readonly TaskToAssign[]) {
    this.#tasks = tasks;
    for (const { id } of tasks) this.#ends.set(id, 500);
  }

  get members(): TaskMember[] {
    return [...this.#present].map(([memberId, owned]) => ({
      memberId,
      processId: this.#processes.get(memberId)!,
      owned: new Set(owned),
      positions: new Map(this.#folders.get(memberId)),
    }));
  }

  comes(name: string, processId: string): void {
    if (this.#present.has(name)) return;
    this.#processes.set(name, processId);
    this.#present.set(name, new Set());
    if (!this.#folders.has(name)) this.#folders.set(name, new Map());
  }

  goes(name: string): void {
    this.#present.delete(name);
  }

  /** What moves is let go, and given in the next round; whoever has a replica catches up. */
  apply(assignment: TaskAssignment): void {
    const owner = (id: string) => [...this.#present].find(([, owned]) => owned.has(id))?.[0];
    for (const [id, { active }] of assignment) {
      const present = owner(id);
      if (present !== undefined && present !== active) this.#present.get(present)!.delete(id);
      else this.#present.get(active)!.add(id);
    }
    this.#last = assignment;
    this.grow(0);
  }

  isAtRest(assignment: TaskAssignment): boolean {
    return [...assignment].every(
      ([id, { active, warmup }]) => this.#present.get(active)!.has(id) && warmup === undefined,
    );
  }

  grow(records: number): void {
    for (const { id, isStateful } of this.#tasks) {
      this.#ends.set(id, this.#ends.get(id)! + records);
      const { active, warmup, standbys = [] } = this.#last.get(id) ?? {};
      for (const name of [active, warmup, ...standbys]) {
        if (!isStateful || name === undefined || !this.#present.has(name)) continue;
        if (name === active && !this.#present.get(name)!.has(id)) continue;
        this.#folders.get(name)!.set(id, this.#ends.get(id)!);
      }
    }
  }
}
