/**
 * How a value becomes bytes and comes back.
 *
 * A serde must be lossless: `deserialize(serialize(v))` equals `v`. Inside one process a record that has not been
 * written yet may reach the next task as the very object that was sent (docs/decisions/004), so a lossy serde would
 * make results depend on where a commit falls; `TopologyTestDriver` always takes the way through the bytes.
 * `null` never reaches a serde: a tombstone is a record without a value.
 */
export interface Serde<T> {
  /** Shown in the topology's fingerprint: `string`, `avro:interaction-value`. */
  readonly name: string;
  serialize(value: T): Uint8Array;
  /** The bytes may be a view into a larger buffer: a serde that keeps them must copy. */
  deserialize(bytes: Uint8Array): T;
  /** Fetches what decoding these payloads will need (an unknown writer schema); awaited once a batch. */
  prepare?(payloads: readonly Uint8Array[]): Promise<void>;
  /** Bytes a decoded value takes in a cache, roughly. Default: the length of its serialized form when known, else 128. */
  sizeOf?(value: T): number;
}
