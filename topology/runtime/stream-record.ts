import type { LogHeader } from '../../log/log.ts';
import type { Record } from '../record.ts';
import type { PunctuationPlace } from './punctuation.ts';
import type { Turn } from './turn.ts';

/** Where a record of the batch was read, and what it was: kept for recordMetadata() and for dead letters. */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: readonly LogHeader[];
  /** The bytes as read, or made again from the objects when the record came straight from another task. */
  rawKey(): Uint8Array | null;
  rawValue(): Uint8Array | null;
}

/**
 * A record on its way through a batch.
 *
 * Besides what the user sees it carries its place: the position of the polled record it descends from, the task's stream
 * time at that position, and, only below nodes whose paths meet again, its turn.
 */
export class StreamRecord implements Record<unknown, unknown> {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  readonly headers: readonly LogHeader[];
  readonly position: number;
  readonly streamTimeMs: number;
  /** Undefined for what a punctuation or a cache flush forwards. */
  readonly origin: Origin | undefined;
  turn: Turn | undefined;
  /** Set for what a punctuation forwarded, and for all that follows from it: its place among its position's others. */
  readonly punctuation: PunctuationPlace | undefined;

  constructor(
    key: unknown,
    value: unknown,
    timestamp: number,
    headers: readonly LogHeader[],
    position: number,
    streamTimeMs: number,
    origin: Origin | undefined,
    turn: Turn | undefined,
    punctuation: PunctuationPlace | undefined,
  ) {
    this.key = key;
    this.value = value;
    this.timestamp = timestamp;
    this.headers = headers;
    this.position = position;
    this.streamTimeMs = streamTimeMs;
    this.origin = origin;
    this.turn = turn;
    this.punctuation = punctuation;
  }

  /** A descendant with another key, value or time. */
  with(key: unknown, value: unknown, timestamp: number = this.timestamp): StreamRecord {
    return new StreamRecord(
      key,
      value,
      timestamp,
      this.headers,
      this.position,
      this.streamTimeMs,
      this.origin,
      undefined,
      this.punctuation,
    );
  }

  withTurn(turn: Turn): StreamRecord {
    return new StreamRecord(
      this.key,
      this.value,
      this.timestamp,
      this.headers,
      this.position,
      this.streamTimeMs,
      this.origin,
      turn,
      this.punctuation,
    );
  }
}
