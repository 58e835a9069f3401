import { MillraceError } from '../../schemas/errors.ts';
import { faults } from './faults.ts';
import type { Emit, ExecutableNode } from './node.ts';
import { ProcessNode } from './operators/process.ts';
import type { PunctuationPlace, Punctuations } from './punctuation.ts';
import { StreamRecord } from './stream-record.ts';
import { compareTurns, type Turn } from './turn.ts';

/**
 * One step of a batch: a node, or a group of nodes that share state, over all its inputs.
 *
 *     inputs of all parents, merged by turn ──> load (one batched read) ──> process each, in order ──> out edges
 *
 * Inside a group a record goes depth-first from member to member at once. That needs every key to be loaded beforehand;
 * where a member's keys are only known on the way, the group awaits each step instead (`mode: 'awaiting'`), and what a
 * member forwards is passed on when its process() is done.
 */
export class Unit {
  readonly mode: 'loaded' | 'awaiting';
  readonly #members: readonly MemberState[];
  readonly #names: ReadonlySet<string>;
  readonly #punctuations: Punctuations;
  readonly #canSchedule: boolean;
  readonly #onFailure: FailureListener;

  constructor({ members, punctuations, onFailure }: UnitOptions) {
    this.#members = members.map((member, place) => ({
      ...member,
      place,
      turn: undefined,
      outputs: 0,
      collected: undefined,
      emit: (record: StreamRecord, childName?: string) => this.#emitted(place, record, childName),
    }));
    this.#names = new Set(members.map(({ node }) => node.name));
    this.#punctuations = punctuations;
    this.#canSchedule = members.some(({ node }) => node instanceof ProcessNode);
    this.#onFailure = onFailure;
    this.mode = members.length > 1 && members.some((member) => needsWait(member, members)) ? 'awaiting' : 'loaded';
  }

  /** The edges that lead out of the unit: where its outputs are after a run. */
  *outEdges(): Iterable<Edge> {
    for (const { edges } of this.#members) for (const edge of edges) if (edge.inner === undefined) yield edge;
  }

  async run(deliveries: readonly Delivery[], scope: BatchScope): Promise<void> {
    const { records, places } = merge(deliveries);
    if (this.mode === 'loaded') {
      for (const { place, records: inputs } of deliveries) await this.#members[place]!.node.load?.(inputs);
    }
    let punctuatedTo = 0;
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!;
      if (this.#canSchedule && this.#punctuations.isEmpty) {
        punctuatedTo = record.position;
      } else if (this.#canSchedule) {
        for (; punctuatedTo < record.position; punctuatedTo++) await this.#punctuateAt(punctuatedTo, scope);
        if (record.punctuation !== undefined) await this.#punctuateBefore(record, record.punctuation, scope);
      }
      const member = this.#members[places === undefined ? deliveries[0]!.place : places[i]!]!;
      const waiting = this.#enter(member, record);
      if (waiting !== undefined) await waiting;
    }
    if (this.#canSchedule && !this.#punctuations.isEmpty) {
      for (; punctuatedTo < scope.streamTimesMs.length; punctuatedTo++) await this.#punctuateAt(punctuatedTo, scope);
      if (scope.wallClockMs !== undefined) await this.#punctuate('wallClock', scope.wallClockMs, 0, scope);
    }
    if (scope.flush) for (const member of this.#members) await this.#flush(member, scope);
  }

  #enter(member: MemberState, record: StreamRecord): Promise<void> | undefined {
    if (this.mode === 'awaiting') return this.#enterAwaiting(member, record);
    member.turn = record.turn;
    member.outputs = 0;
    try {
      const done = member.node.process(record, member.emit);
      if (done === undefined) return undefined;
      return done.then(undefined, (error: unknown) => this.#onFailure(member.node.name, record, error));
    } catch (error) {
      this.#onFailure(member.node.name, record, error);
      return undefined;
    }
  }

  async #enterAwaiting(member: MemberState, record: StreamRecord): Promise<void> {
    member.turn = record.turn;
    member.outputs = 0;
    member.collected = [];
    try {
      await member.node.load?.([record]);
      await member.node.process(record, member.emit);
    } catch (error) {
      this.#onFailure(member.node.name, record, error);
    }
    await this.#passOn(member);
  }

  async #passOn(member: MemberState): Promise<void> {
    const collected = member.collected ?? [];
    member.collected = undefined;
    for (const [inner, record] of collected) await this.#enterAwaiting(this.#members[inner]!, record);
  }

  #emitted(place: number, record: StreamRecord, childName: string | undefined): void {
    const member = this.#members[place]!;
    const turn = member.tracked ? [...(member.turn ?? []), member.outputs] : undefined;
    member.outputs += 1;
    let reached = childName === undefined;
    for (const edge of member.edges) {
      if (childName !== undefined) {
        if (edge.child !== childName) continue;
        reached = true;
      }
      const placed = turn === undefined ? record : record.withTurn([...turn, edge.index]);
      if (edge.inner === undefined) edge.outputs.push(placed);
      else if (member.collected !== undefined) member.collected.push([edge.inner, placed]);
      else this.#enterInner(edge.inner, placed);
    }
    if (!reached) {
      const children = member.edges.map(({ child }) => `'${child}'`).join(', ') || 'none';
      const message = `'${member.node.name}' forwarded to '${childName}', which is not its child; children: ${children}.`;
      throw new MillraceError('PROCESSING_FAILED', message, { node: member.node.name, child: childName });
    }
  }

  #enterInner(inner: number, record: StreamRecord): void {
    const waiting = this.#enter(this.#members[inner]!, record);
    if (waiting !== undefined) throw new Error(`'${this.#members[inner]!.node.name}' waited inside a loaded group.`);
  }

  /** Stream-time punctuations that the record at this position made due. */
  async #punctuateAt(position: number, scope: BatchScope): Promise<void> {
    const streamTimeMs = scope.streamTimesMs[position]!;
    if (streamTimeMs >= 0) await this.#punctuate('streamTime', streamTimeMs, position, scope);
  }

  /** Own punctuations of the same moment that come before the one that the record follows from. */
  async #punctuateBefore({ position }: StreamRecord, before: PunctuationPlace, scope: BatchScope): Promise<void> {
    if (scope.wallClockMs !== undefined) await this.#punctuate('wallClock', scope.wallClockMs, 0, scope, before);
    else await this.#punctuate('streamTime', scope.streamTimesMs[position]!, position, scope, before);
  }

  async #punctuate(
    type: 'streamTime' | 'wallClock',
    nowMs: number,
    position: number,
    scope: BatchScope,
    before?: PunctuationPlace,
  ): Promise<void> {
    if (!this.#punctuations.hasAny(type)) return;
    for (;;) {
      const due = this.#punctuations.takeDue(this.#names, type, nowMs, before);
      if (due === undefined) return;
      if (faults.skippedPunctuation) continue;
      const { schedule, place: punctuation } = due;
      const member = this.#members.find(({ node }) => node.name === schedule.node)!;
      const streamTimeMs = scope.streamTimesMs[position] ?? scope.streamTimeMs;
      const turn = [position, 1, punctuation.dueMs, punctuation.order];
      const place = new StreamRecord(null, null, nowMs, [], position, streamTimeMs, undefined, turn, punctuation);
      member.turn = place.turn;
      member.outputs = 0;
      if (this.mode === 'awaiting') member.collected = [];
      try {
        await (member.node as ProcessNode).punctuate(schedule.punctuator, nowMs, place, member.emit);
      } catch (error) {
        this.#onFailure(schedule.node, place, error);
      }
      if (this.mode === 'awaiting') await this.#passOn(member);
    }
  }

  async #flush(member: MemberState, scope: BatchScope): Promise<void> {
    if (member.node.flush === undefined || member.node.hasPending?.() !== true) return;
    const { streamTimeMs } = scope;
    const place = new StreamRecord(null, null, streamTimeMs, [], 0, streamTimeMs, undefined, undefined, undefined);
    member.turn = [0, 2, scope.flushOrder++];
    member.outputs = 0;
    if (this.mode === 'awaiting') member.collected = [];
    await member.node.flush(place, member.emit);
    if (this.mode === 'awaiting') await this.#passOn(member);
  }
}

export interface UnitOptions {
  readonly members: readonly MemberOptions[];
  readonly punctuations: Punctuations;
  /** Decides by the processing handler; throws when the task must stop. */
  readonly onFailure: FailureListener;
}

export type FailureListener = (node: string, record: StreamRecord, error: unknown) => void;

export interface MemberOptions {
  readonly node: ExecutableNode;
  readonly edges: readonly Edge[];
  /** Records that leave this node carry their turn. */
  readonly tracked: boolean;
}

export interface Edge {
  readonly child: string;
  /** Place among the parent's children. */
  readonly index: number;
  /** Place of the child in the same unit; undefined when the edge leads out. */
  readonly inner: number | undefined;
  outputs: StreamRecord[];
}

export interface Delivery {
  /** Place of the member that these records enter. */
  readonly place: number;
  readonly records: readonly StreamRecord[];
}

/** What a run belongs to: a batch of polled records, a round of wall-clock punctuations, or a cache flush. */
export interface BatchScope {
  /** Stream time at each position. */
  readonly streamTimesMs: readonly number[];
  /** Stream time at the end. */
  readonly streamTimeMs: number;
  readonly wallClockMs: number | undefined;
  readonly flush: boolean;
  flushOrder: number;
}

interface MemberState extends MemberOptions {
  readonly place: number;
  readonly emit: Emit;
  turn: Turn | undefined;
  outputs: number;
  collected: [number, StreamRecord][] | undefined;
}

/** In a loaded group nobody may wait: a member that loads must be fed from outside, a user's processor must load. */
function needsWait(member: MemberOptions, members: readonly MemberOptions[]): boolean {
  const { node } = member;
  if (node instanceof ProcessNode && node.load === undefined) return true;
  const place = members.indexOf(member);
  return node.load !== undefined && members.some(({ edges }) => edges.some(({ inner }) => inner === place));
}

/** The unit's inputs in reference order. With one delivery they are in order already, and carry no turn. */
function merge(deliveries: readonly Delivery[]): { records: readonly StreamRecord[]; places: number[] | undefined } {
  const [first] = deliveries;
  if (first === undefined) return { records: [], places: undefined };
  if (deliveries.length === 1) return { records: first.records, places: undefined };
  const inputs = deliveries.flatMap(({ place, records }) => records.map((record) => ({ place, record })));
  inputs.sort((a, b) => compareTurns(a.record.turn!, b.record.turn!));
  if (faults.swappedMergeOrder) inputs.reverse();
  return { records: inputs.map(({ record }) => record), places: inputs.map(({ place }) => place) };
}
