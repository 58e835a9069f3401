import { MillraceError } from '../../schemas/index.ts';
import { Host } from '../../serving/host/index.ts';
import type { Inspection } from './inspection.ts';

/** Asks the folder itself: opens it, the topology stands still. */
export async function inspectFolder(dataDir: string): Promise<Inspection> {
  const host = await Host.open({ dataDir, runs: false });
  host.onPublication(() => undefined);
  return {
    stores: () => host.request<'stores'>({ kind: 'stores' }),
    topology: () => host.request<'topology'>({ kind: 'topology' }),
    async query(store, key) {
      const { found, partition, value, asOf } = await host.request<'get'>({ kind: 'get', store, key });
      if (!found) throw new MillraceError('NOT_FOUND', `Store '${store}' has no key '${key}'.`, { store, key });
      return { store, key, partition, value, asOf };
    },
    [Symbol.asyncDispose]: () => host.close(),
  };
}
