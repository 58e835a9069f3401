import type { Serde } from '../../schemas/serde.ts';

/** Strings, numbers and windowed keys, all the same: enough for keys and values of generated topologies. */
export const jsonSerde: Serde<unknown> = {
  name: 'json',
  serialize: (value) => new TextEncoder().encode(JSON.stringify(value)),
  deserialize: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as unknown,
};
