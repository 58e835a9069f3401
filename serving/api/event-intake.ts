import { createHash, randomUUID } from 'node:crypto';
import { eventIdentity, shopTopics } from '../../processors/index.ts';
import { isInvalidField, MillraceError, validateInteraction, type InvalidField } from '../../schemas/index.ts';
import { deadLetterRecord, eventRecord } from '../../sources/index.ts';
import { packRecords, type PlacedRecord } from '../host/packed-records.ts';
import type { Api } from './context.ts';
import { withinDeadline } from './deadline.ts';
import type { Candidate } from './event-body.ts';

export interface Accepted {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
}

/**
 * Takes events into the log. Each ends in one of three ways, and the answer comes when that is durable:
 *
 * | accepted  | in `interactions`, with the key of its session                                            |
 * | duplicate | an event with this id was acknowledged today or yesterday: it is in the log already       |
 * | rejected  | in `interactions.dead-letter`, with the reason in its headers; retrying it is of no use   |
 *
 * An event without an id gets one from the request's `Idempotency-Key`, its place and what it says, so that the same request
 * sent again is all duplicates, and another one under the same key is not; without a key, a random one. An event without a timestamp happened when it arrived.
 */
export class EventIntake {
  readonly #api: Api;
  readonly #nowMs: () => number;
  #waitingBytes = 0;

  constructor(api: Api, nowMs: () => number = Date.now) {
    this.#api = api;
    this.#nowMs = nowMs;
  }

  async take(candidates: readonly Candidate[], of: RequestFacts): Promise<Accepted> {
    const { ingestBytesMax, hostDeadlineMs } = this.#api.limits;
    if (this.#waitingBytes + of.bytes > ingestBytesMax) {
      throw new MillraceError(
        'OVERLOADED',
        `At most ${ingestBytesMax} bytes of events may wait for the log, found ${this.#waitingBytes}; try again later.`,
        { ingestBytesMax },
      );
    }
    this.#waitingBytes += of.bytes;
    const taken = this.#append(this.#sort(candidates, of.idempotencyKey));
    // What waits is what the host thread still has, also after the deadline has passed for the producer.
    const release = (): void => {
      this.#waitingBytes -= of.bytes;
    };
    taken.then(release, release);
    return await withinDeadline(taken, hostDeadlineMs, 'Writing the events');
  }

  #sort(candidates: readonly Candidate[], idempotencyKey: string | undefined): Sorted {
    const { serde, partitions } = this.#api;
    const nowMs = this.#nowMs();
    const idOf = eventIds(idempotencyKey);
    const sorted: Sorted = { nowMs, idOf, eventIds: [], records: [], rejections: [] };
    for (const candidate of candidates) {
      const { value, unreadable } = candidate;
      if (unreadable !== undefined) {
        sorted.rejections.push({ candidate, ...unreadable });
        continue;
      }
      const event = validateInteraction(
        completed(value, () => idOf(candidate), nowMs),
        nowMs,
      );
      if (isInvalidField(event)) {
        sorted.rejections.push({ candidate, ...rejectionOf(event) });
        continue;
      }
      sorted.eventIds.push(eventIdentity(event));
      sorted.records.push(eventRecord(event, serde, partitions));
    }
    return sorted;
  }

  async #append(sorted: Sorted): Promise<Accepted> {
    const { records, rejections } = sorted;
    const [duplicates] = await Promise.all([
      records.length === 0 ? 0 : this.#produce(shopTopics.interactions, records, sorted.eventIds),
      rejections.length === 0 ? 0 : this.#bury(sorted),
    ]);
    const accepted = records.length - duplicates;
    const rejectedRules = rejections.map(({ rule }) => rule);
    this.#api.metrics.ingested({ accepted, duplicates, rejectedRules });
    const rejected = rejections.map(({ candidate: { index }, reason }) => ({ index, reason }));
    return { accepted, duplicates, rejected };
  }

  async #bury({ rejections, idOf, nowMs }: Sorted): Promise<number> {
    const letters = rejections.map(({ candidate: { index, raw }, rule, reason }) =>
      deadLetterRecord(
        { file: 'POST /v1/events', line: index, rule, reason, raw: raw().subarray(0, rawBytesMax) },
        nowMs,
      ),
    );
    const records = letters.map((letter) => ({ ...letter, partition: 0 }));
    const ids = rejections.map(({ candidate }) => `dead-letter:${idOf(candidate)}`);
    return await this.#produce(shopTopics.deadLetter, records, ids);
  }

  /** How many were duplicates. */
  async #produce(topic: string, placed: readonly PlacedRecord[], eventIds: readonly string[]): Promise<number> {
    const records = packRecords(placed);
    const { duplicates } = await this.#api.host.request({ kind: 'produce', topic, records, eventIds }, [records]);
    return duplicates.length;
  }
}

interface RequestFacts {
  readonly bytes: number;
  readonly idempotencyKey: string | undefined;
}

interface Sorted {
  readonly nowMs: number;
  readonly idOf: (candidate: Candidate) => string;
  readonly eventIds: string[];
  readonly records: PlacedRecord[];
  readonly rejections: Rejection[];
}

interface Rejection {
  readonly candidate: Candidate;
  readonly rule: string;
  readonly reason: string;
}

/** Of a rejected event, in its dead letter. */
const rawBytesMax = 64 * 1024;

/** Ids for events that bring none: the same for the same key, place and event, however its JSON is spaced. */
function eventIds(idempotencyKey: string | undefined): (candidate: Candidate) => string {
  if (idempotencyKey === undefined) return () => randomUUID();
  const keyDigest = createHash('sha256').update(idempotencyKey).digest();
  return ({ index, value, unreadable, raw }) => {
    const event = unreadable === undefined ? JSON.stringify(value) : raw();
    const digest = createHash('sha256').update(keyDigest).update(event).digest('hex').slice(0, 32);
    return `request:${digest}:${index}`;
  };
}

function completed(value: unknown, id: () => string, nowMs: number): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { eventId, timestamp } = value as { eventId?: unknown; timestamp?: unknown };
  if (eventId !== undefined && timestamp !== undefined) return value;
  return {
    ...value,
    eventId: eventId === undefined ? id() : eventId,
    timestamp: timestamp === undefined ? nowMs : timestamp,
  };
}

/** The rule is a label of a metric, so it is one of few: unknown fields share one. */
function rejectionOf({ field, reason }: InvalidField): { readonly rule: string; readonly reason: string } {
  if (field === '') return { rule: 'shape', reason: `an event ${reason}` };
  return { rule: reason === unknownFieldReason ? 'unknown-field' : field, reason: `${field} ${reason}` };
}

const unknownFieldReason = 'is not a field of an interaction';
