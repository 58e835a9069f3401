import type { LogHeader } from '../../log/log.ts';
import type { Serde } from '../../schemas/serde.ts';
import type { Channel } from './channel.ts';
import type { BufferedRecord } from './input-partition.ts';
import type { Origin } from './stream-record.ts';

/**
 * A record on its way from a sink to a source of the same topology: one object for the whole way, because a hop is made
 * for every event. The sink makes it, the channel gives it its offset, the source's buffer holds it, and it is the origin
 * of what follows from it.
 */
export class OpenRecord implements BufferedRecord, Origin {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  readonly headers: readonly LogHeader[];
  /** Undefined: not serialized yet; null: a null key. */
  keyBytes: Uint8Array | null | undefined;
  valueBytes: Uint8Array | null | undefined;
  offset = -1;
  #channel: Channel | undefined;

  constructor(
    key: unknown,
    value: unknown,
    timestamp: number,
    headers: readonly LogHeader[],
    keyBytes: Uint8Array | null | undefined,
    valueBytes: Uint8Array | null | undefined,
  ) {
    this.key = key;
    this.value = value;
    this.timestamp = timestamp;
    this.headers = headers;
    this.keyBytes = keyBytes;
    this.valueBytes = valueBytes;
  }

  place(channel: Channel, offset: number): void {
    this.#channel = channel;
    this.offset = offset;
  }

  encode(keySerde: Serde<unknown>, valueSerde: Serde<unknown>): void {
    if (this.keyBytes === undefined) this.keyBytes = this.key === null ? null : keySerde.serialize(this.key);
    if (this.valueBytes === undefined) this.valueBytes = this.value === null ? null : valueSerde.serialize(this.value);
  }

  get origin(): Origin {
    return this;
  }

  get reject(): undefined {
    return undefined;
  }

  get topic(): string {
    return this.#channel!.partition.topic;
  }

  get partition(): number {
    return this.#channel!.partition.partition;
  }

  rawKey(): Uint8Array | null {
    this.#encodeAsSent();
    return this.keyBytes!;
  }

  rawValue(): Uint8Array | null {
    this.#encodeAsSent();
    return this.valueBytes!;
  }

  #encodeAsSent(): void {
    const { keySerde, valueSerde } = this.#channel!.serdes;
    this.encode(keySerde, valueSerde);
  }
}
