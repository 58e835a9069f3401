import type { Serde } from '../../schemas/serde.ts';

/** Serdes for the tests of this folder, which count what they do. */
export interface CountingSerde<T> extends Serde<T> {
  serialized: number;
}

export function textSerde(): CountingSerde<string> {
  return {
    name: 'text',
    serialized: 0,
    serialize(value) {
      this.serialized++;
      return Buffer.from(value);
    },
    deserialize: (bytes) => Buffer.from(bytes).toString(),
  };
}

/** A value that its owner may change in place. */
export interface Counter {
  count: number;
}

export const counterSerde: Serde<Counter> = {
  name: 'counter',
  serialize: (value) => Buffer.from(String(value.count)),
  deserialize: (bytes) => ({ count: Number(Buffer.from(bytes).toString()) }),
};
