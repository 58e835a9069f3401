/**
 * A key's two forms: bytes whose order is the key's order, and a primitive token that identifies it in a JavaScript Map.
 * The token must be cheap: it is computed for every access.
 */
export interface KeyCodec<K> {
  readonly name: string;
  /** Length of every encoded key, when it is always the same: such a key needs no delimiter inside a tuple. */
  readonly fixedBytes?: number;
  encode(key: K): Uint8Array;
  decode(bytes: Uint8Array): K;
  token(key: K): string | number;
}
