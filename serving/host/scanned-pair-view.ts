import { MemoryPairView, nextNumberKey, storeNames, type EventRelation } from '../../processors/index.ts';
import type { ListView } from './state-reader.ts';
import type { StoredRows } from './stored-rows.ts';

/** A view for lists made of committed rows, where no server keeps one. */
export async function scanPairView(rows: StoredRows): Promise<ListView> {
  const view = new ScannedPairView();
  for await (const { partition, key: id, value: item } of rows.of(storeNames.pairItems)) {
    if (id !== nextNumberKey) view.setItem(partition, id, item);
  }
  for await (const { partition, key, value } of rows.of(storeNames.marginals)) view.setMarginal(partition, key, value);
  for await (const { partition, key, value } of rows.of(storeNames.pairs)) view.setChunk(partition, key, value);
  for await (const { partition, key, value } of rows.of(storeNames.pairTotals)) {
    view.setTotals(partition, key as EventRelation, value);
  }
  for await (const { key: id, value } of rows.of(storeNames.productStats)) if (value.service) view.services.add(id);
  return view;
}

class ScannedPairView extends MemoryPairView implements ListView {
  readonly services = new Set<string>();

  product(id: string): number | undefined {
    return this.index(id);
  }

  isService(item: number): boolean {
    return this.services.has(this.id(item));
  }
}
