import { partitionOfItem } from '../../processors/index.ts';
import type { Host } from '../host/host.ts';
import { HostStateReader } from '../host/state-reader.ts';
import { LookupView } from './lookup-view.ts';

/** A view that takes the publications of the host from now on, those before included; the host's one listener. */
export function viewOf(host: Host): LookupView {
  const view = new LookupView({
    stores: host.publishedStores,
    fetch: (wanted) => host.request<'fetch'>({ kind: 'fetch', ...wanted }),
    ownerOf: (id) => partitionOfItem(id, host.partitions),
  });
  host.onPublication((publication) => view.receive(publication));
  return view;
}

/**
 * A reader whose lists come from the view that the server would ask, once it shows what the stores hold. The topology
 * has to stand still (see `HostStateReader`).
 *
 * @throws what ends the host, and the signal's reason when that comes first.
 */
export async function readerWithView(host: Host, view: LookupView, signal?: AbortSignal): Promise<HostStateReader> {
  const reader = new HostStateReader(host, view);
  const asOf = JSON.stringify(await reader.asOf());
  while (JSON.stringify(view.asOf) !== asOf) {
    signal?.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
    // A host that has ended publishes nothing any more; asking it makes that an error instead of a wait without end.
    await host.request<'lag'>({ kind: 'lag' });
  }
  return reader;
}
