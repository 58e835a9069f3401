import type { Serde } from '../../schemas/serde.ts';
import { createKeyValueStore, createTimestampedKeyValueStore, createWindowStore, utf8Key } from '../../state/index.ts';
import type { Engine, KeyCodec, StateStore } from '../../state/index.ts';
import type { StoreSpec } from '../graph/graph.ts';

/** The store of a spec on one partition. Rows are `| store id u32 | partition u32 | key |` in the state family. */
export function createStore(spec: StoreSpec, storeId: number, partition: number, engine: Engine): StateStore {
  const options = {
    name: spec.name,
    partition,
    prefix: storePrefix(storeId, partition),
    keyCodec: keyCodecOf(spec.keySerde),
    valueSerde: spec.valueSerde,
    engine,
  };
  switch (spec.kind) {
    case 'key-value':
      return createKeyValueStore(options);
    case 'timestamped-key-value':
      return createTimestampedKeyValueStore(options);
    case 'window': {
      const { windowSizeMs, retentionMs } = spec;
      return createWindowStore({ ...options, windowSizeMs, retentionMs });
    }
  }
}

export function storePrefix(storeId: number, partition: number): Uint8Array {
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32BE(storeId, 0);
  prefix.writeUInt32BE(partition, 4);
  return prefix;
}

/** A serde that is its own codec gives order and token itself; any other orders by its bytes. */
function keyCodecOf(serde: Serde<unknown>): KeyCodec<unknown> {
  if (isKeyCodec(serde)) return serde;
  if (serde.name === 'string') return utf8Key as KeyCodec<unknown>;
  return {
    name: serde.name,
    encode: (key) => serde.serialize(key),
    decode: (bytes) => serde.deserialize(bytes),
    token: (key) =>
      typeof key === 'string' || typeof key === 'number' ? key : Buffer.from(serde.serialize(key)).toString('latin1'),
  };
}

function isKeyCodec(serde: Serde<unknown>): serde is Serde<unknown> & KeyCodec<unknown> {
  return 'encode' in serde && 'decode' in serde && 'token' in serde;
}
