import { jsonSerde, type Serde } from '../../schemas/index.ts';
import type { KeyValueStoreSpec, WindowStoreSpec } from '../graph/graph.ts';
import { topologyInvalid } from '../graph/topology-invalid.ts';
import { checkedName } from './names.ts';

export interface StoreOptions<K, V> {
  /** Default: JSON. */
  readonly keySerde?: Serde<K> | undefined;
  /** Default: JSON. */
  readonly valueSerde?: Serde<V> | undefined;
  readonly storage?: 'rocksdb' | 'memory' | undefined;
  readonly caching?: boolean | undefined;
  readonly logging?: boolean | undefined;
}

export interface WindowStoreOptions<K, V> extends StoreOptions<K, V> {
  readonly windowSizeMs: number;
  readonly retentionMs: number;
}

/** Stores for processors: give one to `addStateStore` and name it where it is used. All survive a restart. */
export const Stores = {
  keyValue<K, V>(name: string, options: StoreOptions<K, V> = {}): KeyValueStoreSpec {
    return { kind: 'key-value', ...base(name, options) };
  },

  /** Keeps the timestamp of the record that a value came from. */
  timestampedKeyValue<K, V>(name: string, options: StoreOptions<K, V> = {}): KeyValueStoreSpec {
    return { kind: 'timestamped-key-value', ...base(name, options) };
  },

  window<K, V>(name: string, options: WindowStoreOptions<K, V>): WindowStoreSpec {
    const { windowSizeMs, retentionMs } = options;
    if (retentionMs < windowSizeMs) {
      throw topologyInvalid(
        `Window store '${name}' wants a retention of at least its window size, ${windowSizeMs} ms, found ${retentionMs} ms`,
        { store: name, windowSizeMs, retentionMs },
      );
    }
    return { kind: 'window', windowSizeMs, retentionMs, ...base(name, options) };
  },
};

function base<K, V>(name: string, options: StoreOptions<K, V>) {
  return {
    name: checkedName(name),
    keySerde: (options.keySerde ?? jsonSerde()) as Serde<unknown>,
    valueSerde: (options.valueSerde ?? jsonSerde()) as Serde<unknown>,
    storage: options.storage ?? 'rocksdb',
    caching: options.caching ?? false,
    logging: options.logging ?? true,
  } as const;
}
