import type { Cancellable, PunctuationType, Punctuator } from '../processor.ts';

/** One `schedule` call of a processor. `number` counts the calls of its node, so a restart finds the same one again. */
export interface Schedule {
  readonly node: string;
  readonly number: number;
  readonly type: PunctuationType;
  readonly intervalMs: number;
  readonly punctuator: Punctuator;
  nextMs: number;
  /** Counts the calls of the task. */
  readonly order: number;
}

/** Which of the punctuations that fall due at one position. */
export interface PunctuationPlace {
  readonly dueMs: number;
  /** Of scheduling, over all nodes of the task. */
  readonly order: number;
}

export interface Due {
  readonly schedule: Schedule;
  readonly place: PunctuationPlace;
}

function precedes(a: PunctuationPlace, b: PunctuationPlace): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

export type ScheduleTimes = { readonly [node: string]: readonly number[] };

/**
 * The punctuations of a task (Kafka Streams' PunctuationQueue). Stream time starts at 0, so a schedule is due at the
 * first record and then at multiples of its interval; several missed ones make one call.
 */
export class Punctuations {
  #schedules: Schedule[] = [];
  #added = 0;
  readonly #counts = new Map<string, number>();
  readonly #restored: ScheduleTimes;

  constructor(restored: ScheduleTimes) {
    this.#restored = restored;
  }

  add(node: string, type: PunctuationType, intervalMs: number, firstMs: number, punctuator: Punctuator): Cancellable {
    const number = this.#counts.get(node) ?? 0;
    this.#counts.set(node, number + 1);
    const nextMs = this.#restored[node]?.[number] ?? firstMs;
    const schedule: Schedule = { node, number, type, intervalMs, punctuator, nextMs, order: this.#added++ };
    this.#schedules.push(schedule);
    return {
      cancel: () => {
        this.#schedules = this.#schedules.filter((other) => other !== schedule);
      },
    };
  }

  /** The ordinary case, which must cost nothing. */
  get isEmpty(): boolean {
    return this.#schedules.length === 0;
  }

  hasAny(type: PunctuationType): boolean {
    return this.#schedules.some((schedule) => schedule.type === type);
  }

  /**
   * The earliest due schedule among the nodes at `nowMs`, moved on to its next time; undefined when none is due. With
   * `before` only one whose place lies before that one. What is due at one time is in order of due time, then of
   * scheduling, whichever node it belongs to.
   */
  takeDue(
    nodes: ReadonlySet<string>,
    type: PunctuationType,
    nowMs: number,
    before?: PunctuationPlace,
  ): Due | undefined {
    let due: Due | undefined;
    for (const schedule of this.#schedules) {
      if (schedule.type !== type || schedule.nextMs > nowMs || !nodes.has(schedule.node)) continue;
      const place = { dueMs: schedule.nextMs, order: schedule.order };
      if (before !== undefined && !precedes(place, before)) continue;
      if (due === undefined || precedes(place, due.place)) due = { schedule, place };
    }
    if (due !== undefined) due.schedule.nextMs = nextTime(due.place.dueMs, due.schedule.intervalMs, nowMs);
    return due;
  }

  /** When the next wall-clock punctuation is due; undefined when there is none. */
  nextWallClockMs(): number | undefined {
    const times = this.#schedules.filter(({ type }) => type === 'wallClock').map(({ nextMs }) => nextMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** For the commit. A cancelled schedule keeps its place, so that later ones keep their number. */
  times(): ScheduleTimes {
    const times: { [node: string]: number[] } = {};
    for (const [node, count] of this.#counts) times[node] = new Array<number>(count).fill(0);
    for (const { node, number, nextMs } of this.#schedules) times[node]![number] = nextMs;
    return times;
  }
}

/** PunctuationSchedule#next: one interval on, or the first multiple after now when more were missed. */
function nextTime(scheduledMs: number, intervalMs: number, nowMs: number): number {
  const nextMs = scheduledMs + intervalMs;
  if (nowMs < nextMs) return nextMs;
  const missed = Math.floor((nowMs - scheduledMs) / intervalMs);
  return scheduledMs + (missed + 1) * intervalMs;
}
