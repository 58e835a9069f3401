import { createHash, randomUUID } from 'node:crypto';
import { shopTopics } from '../../processors/index.ts';
import { isInvalidField, type InvalidField } from '../../schemas/index.ts';
import { deadLetterRecord } from '../../sources/index.ts';
import { packRecords, type PlacedRecord } from '../host/packed-records.ts';
import type { Api } from './context.ts';
import { withinDeadline } from './deadline.ts';
import type { Candidate } from './record-body.ts';
import type { IngestKind } from './server-metrics.ts';

export interface Accepted {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
}

/** What one kind of record wants of the intake. */
export interface Intake {
  readonly kind: IngestKind;
  /** The route, as dead letters name it. */
  readonly route: string;
  /** A record of this kind, in messages: `an event`. */
  readonly one: string;
  readonly topic: string;
  /** What a field that is none is told. */
  readonly unknownField: string;
  /**
   * The record for the log, and what makes two of them the same one (undefined: this kind is told apart by what it says,
   * further down). `makeId` gives an id to a record that brings none.
   */
  judge(value: unknown, facts: { readonly nowMs: number; readonly makeId: () => string }): Judged | InvalidField;
}

export interface Judged {
  readonly record: PlacedRecord;
  readonly identity: string | undefined;
}

/**
 * Takes records into the log. Each ends in one of three ways, and the answer comes when that is durable:
 *
 * | accepted  | in the topic of its kind                                                                  |
 * | duplicate | the same record was acknowledged today or yesterday: it is in the log already             |
 * | rejected  | in `interactions.dead-letter`, with the reason in its headers; retrying it is of no use   |
 *
 * A record without an id gets one from the request's `Idempotency-Key`, its place and what it says, so that the same request
 * sent again is all duplicates, and another one under the same key is not; without a key, a random one.
 */
export class RecordIntake {
  readonly #api: Api;
  readonly #intake: Intake;

  constructor(api: Api, intake: Intake) {
    this.#api = api;
    this.#intake = intake;
  }

  async take(candidates: readonly Candidate[], of: RequestFacts): Promise<Accepted> {
    const taken = this.#append(candidates, of.idempotencyKey);
    // What waits is what the host thread still has, also after the deadline has passed for the producer.
    taken.then(of.release, of.release);
    return await withinDeadline(taken, this.#api.limits.hostDeadlineMs, `Writing the ${this.#intake.kind}`);
  }

  #sort(candidates: readonly Candidate[], idempotencyKey: string | undefined): Sorted {
    const nowMs = Date.now();
    const idOf = requestIds(idempotencyKey);
    const sorted: Sorted = { nowMs, idOf, judged: [], rejections: [] };
    for (const candidate of candidates) {
      const { value, unreadable } = candidate;
      if (unreadable !== undefined) {
        sorted.rejections.push({ candidate, ...unreadable });
        continue;
      }
      const judged = this.#intake.judge(value, { nowMs, makeId: () => idOf(candidate) });
      if (isInvalidField(judged)) sorted.rejections.push({ candidate, ...this.#rejectionOf(judged) });
      else sorted.judged.push(judged);
    }
    return sorted;
  }

  async #append(candidates: readonly Candidate[], idempotencyKey: string | undefined): Promise<Accepted> {
    const sorted = this.#sort(candidates, idempotencyKey);
    const { judged, rejections } = sorted;
    const { kind, topic } = this.#intake;
    const [duplicates] = await Promise.all([
      judged.length === 0 ? 0 : this.#produce(topic, judged),
      rejections.length === 0 ? 0 : this.#bury(sorted),
    ]);
    const accepted = judged.length - duplicates;
    const rejectedRules = rejections.map(({ rule }) => rule);
    this.#api.metrics.ingested(kind, { accepted, duplicates, rejectedRules });
    const rejected = rejections.map(({ candidate: { index }, reason }) => ({ index, reason }));
    return { accepted, duplicates, rejected };
  }

  async #bury({ rejections, idOf, nowMs }: Sorted): Promise<number> {
    const letters = rejections.map(({ candidate, rule, reason }) => {
      const raw = candidate.raw().subarray(0, rawBytesMax);
      const letter = deadLetterRecord({ file: this.#intake.route, line: candidate.index, rule, reason, raw }, nowMs);
      return { record: { ...letter, partition: 0 }, identity: `dead-letter:${idOf(candidate)}` };
    });
    return await this.#produce(shopTopics.deadLetter, letters);
  }

  /** How many were duplicates. */
  async #produce(topic: string, judged: readonly Judged[]): Promise<number> {
    const records = packRecords(judged.map(({ record }) => record));
    const eventIds = judged.flatMap(({ identity }) => identity ?? []);
    const named = eventIds.length === 0 ? {} : { eventIds };
    const { duplicates } = await this.#api.host.request({ kind: 'produce', topic, records, ...named }, [records]);
    return duplicates.length;
  }

  /** The rule is a label of a metric, so it is one of few: unknown fields share one. */
  #rejectionOf({ field, reason }: InvalidField): { readonly rule: string; readonly reason: string } {
    const { one, unknownField } = this.#intake;
    if (field === '') return { rule: 'shape', reason: `${one} ${reason}` };
    return { rule: reason === unknownField ? 'unknown-field' : field, reason: `${field} ${reason}` };
  }
}

interface RequestFacts {
  /** Gives back the room that its bytes take (ingest-room.ts). */
  readonly release: () => void;
  readonly idempotencyKey: string | undefined;
}

interface Sorted {
  readonly nowMs: number;
  readonly idOf: (candidate: Candidate) => string;
  readonly judged: Judged[];
  readonly rejections: Rejection[];
}

interface Rejection {
  readonly candidate: Candidate;
  readonly rule: string;
  readonly reason: string;
}

/** Of a rejected record, in its dead letter. */
const rawBytesMax = 64 * 1024;

/** Ids for records that bring none: the same for the same key, place and record, however its JSON is spaced. */
function requestIds(idempotencyKey: string | undefined): (candidate: Candidate) => string {
  if (idempotencyKey === undefined) return () => randomUUID();
  const keyDigest = createHash('sha256').update(idempotencyKey).digest();
  return ({ index, value, unreadable, raw }) => {
    const record = unreadable === undefined ? JSON.stringify(value) : raw();
    const digest = createHash('sha256').update(keyDigest).update(record).digest('hex').slice(0, 32);
    return `request:${digest}:${index}`;
  };
}
