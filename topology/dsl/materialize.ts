import type { Serde } from '../../schemas/index.ts';
import type { KeyValueStoreSpec, WindowStoreSpec } from '../graph/graph.ts';
import type { TimeWindow } from '../graph/operator.ts';
import { checkedName } from './names.ts';
import type { Materialized } from './options.ts';
import type { Plan } from './plan.ts';

export type NamedStore = Omit<Materialized<unknown, unknown>, 'name'> & { readonly name: string };

/** The store of a table. It keeps timestamps, since what is read from a table carries them on. */
export function keyValueStore(plan: Plan, store: NamedStore): KeyValueStoreSpec {
  return { kind: 'timestamped-key-value', ...base(plan, store) };
}

export function windowStore(plan: Plan, store: NamedStore, window: TimeWindow): WindowStoreSpec {
  return {
    kind: 'window',
    windowSizeMs: window.sizeMs,
    // A window that may still be written to has to be there.
    retentionMs: Math.max(store.retentionMs ?? 0, window.sizeMs + window.graceMs),
    ...base(plan, store),
  };
}

function base(plan: Plan, store: NamedStore) {
  return {
    name: checkedName(store.name),
    keySerde: (store.keySerde ?? plan.keySerde) as Serde<unknown>,
    valueSerde: (store.valueSerde ?? plan.valueSerde) as Serde<unknown>,
    storage: store.storage ?? 'rocksdb',
    caching: store.caching ?? true,
    logging: store.logging ?? true,
  } as const;
}
