import type { TaskMember, TaskToAssign } from './task-assignment.ts';

/** How many each has. */
export class Loads {
  readonly #loads: Map<TaskMember, number>;

  constructor(members: readonly TaskMember[], owners: Iterable<TaskMember>) {
    this.#loads = new Map(members.map((member) => [member, 0]));
    for (const owner of owners) this.add(owner);
  }

  add(member: TaskMember): void {
    this.#loads.set(member, this.of(member) + 1);
  }

  of(member: TaskMember): number {
    return this.#loads.get(member)!;
  }

  /** The first of them, in a tie. */
  least(members: readonly TaskMember[]): TaskMember | undefined {
    return members.toSorted((a, b) => this.of(a) - this.of(b))[0];
  }
}

/**
 * How many tasks each may have. Of `n` tasks a member of `m` gets `n / m`, rounded down or up; and a process with `k` members gets
 * `n * k / m`, rounded down or up:
 *
 *     10 tasks, processes of 3 and 1 threads: 7 or 8, and 2 or 3       threads: 2 or 3 each
 *                                             └── 6, and 1 or 2 *extra*: so many of its threads have one more
 *
 * Without the second rule all the extras could go to the threads of one process. An extra is due to a process, as far as it is part of
 * the share rounded down; the last ones, `spare`, go to any process that would round up, one each. Those with state are shared out
 * first, and may have taken an extra that is not due over all tasks: then a process has one task less than that.
 */
export class Shares {
  readonly #owners: Map<string, TaskMember>;
  readonly #members: readonly TaskMember[];
  readonly #loads: Loads;
  readonly #share: number;
  /** Members that may yet have one more than the share. */
  #larger: number;
  readonly #processes: ReadonlyMap<string, Extras>;
  #spare: number;

  /** `owners`: what was shared out before; then so many `more`. */
  constructor(members: readonly TaskMember[], owners: Map<string, TaskMember>, more: number) {
    this.#owners = owners;
    this.#members = members;
    this.#loads = new Loads(members, owners.values());
    const total = owners.size + more;
    this.#share = Math.floor(total / members.length);
    this.#larger = total % members.length;
    this.#processes = extrasOf(members, total, this.#share);
    this.#spare = this.#larger;
    for (const { due } of this.#processes.values()) this.#spare -= due;
    for (const member of members) if (this.#loads.of(member) > this.#share) this.#takeExtra(member);
  }

  /** False where the member, or its process, has its share. */
  give(taskId: string, member: TaskMember): boolean {
    if (!this.#mayHave(member)) return false;
    if (this.#loads.of(member) === this.#share) this.#takeExtra(member);
    this.#loads.add(member);
    this.#owners.set(taskId, member);
    return true;
  }

  /** Among those with least, to whoever has fewest of the `siblings`. */
  giveToLeast(taskId: string, siblings: readonly TaskToAssign[]): void {
    const owners = siblings.flatMap(({ id }) => this.#owners.get(id) ?? []);
    const ofSiblings = new Loads(this.#members, owners);
    const [least] = this.#members
      .filter((member) => this.#mayHave(member))
      .toSorted((a, b) => this.#loads.of(a) - this.#loads.of(b) || ofSiblings.of(a) - ofSiblings.of(b));
    this.give(taskId, least!);
  }

  #mayHave(member: TaskMember): boolean {
    const load = this.#loads.of(member);
    if (load !== this.#share) return load < this.#share;
    const { due, roundsUp } = this.#processes.get(member.processId)!;
    return this.#larger > 0 && (due > 0 || (roundsUp && this.#spare > 0));
  }

  #takeExtra({ processId }: TaskMember): void {
    this.#larger -= 1;
    const extras = this.#processes.get(processId)!;
    if (extras.due > 0) {
      extras.due -= 1;
    } else {
      extras.roundsUp = false;
      this.#spare -= 1;
    }
  }
}

/** Tasks of a process beyond the share of each of its members. */
interface Extras {
  due: number;
  /** It may have one more. */
  roundsUp: boolean;
}

function extrasOf(members: readonly TaskMember[], total: number, share: number): ReadonlyMap<string, Extras> {
  const threads = new Map<string, number>();
  for (const { processId } of members) threads.set(processId, (threads.get(processId) ?? 0) + 1);
  return new Map(
    [...threads].map(([processId, count]): [string, Extras] => {
      const exact = (total * count) / members.length;
      return [processId, { due: Math.floor(exact) - share * count, roundsUp: !Number.isInteger(exact) }];
    }),
  );
}
