import type { KeyValueStore } from '../../topology/index.ts';

/** What batch processing needs of a key-value store: read many at once, then work without waiting. */
export type LoadedStore<K, V> = Pick<KeyValueStore<K, V>, 'name' | 'load' | 'isLoaded' | 'getLoaded' | 'put'>;
