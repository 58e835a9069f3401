import { isMillraceError } from '../../schemas/index.ts';
import { type GenerationFacts, Host, type ReplayRequest } from '../../serving/host/index.ts';
import { requireDataFolder } from '../inspect/inspection.ts';
import { ServerInspection } from '../inspect/server-inspection.ts';

/** Generations of a data folder, whoever has it open. */
export interface GenerationControl extends AsyncDisposable {
  generations(): Promise<readonly GenerationFacts[]>;
  replay(request: ReplayRequest): Promise<GenerationFacts>;
  activate(id: number): Promise<GenerationFacts>;
  prune(id: number): Promise<void>;
}

/** Asks the server that has the folder, or opens it. `runs`: with its topology, which a replay needs. */
export async function openGenerations(
  dataDir: string,
  { runs }: { readonly runs: boolean },
): Promise<GenerationControl> {
  await requireDataFolder(dataDir);
  try {
    return controlOf(await Host.open({ dataDir, runs }));
  } catch (error) {
    if (!isMillraceError(error, 'DATA_FOLDER_IN_USE') || typeof error.facts['url'] !== 'string') throw error;
    return new ServerInspection(error.facts['url']);
  }
}

function controlOf(host: Host): GenerationControl {
  host.onPublication(() => undefined);
  return {
    generations: () => host.request<'generations'>({ kind: 'generations' }),
    replay: (request) => host.request<'replay'>({ kind: 'replay', ...request }),
    activate: (generation) => host.request<'activate'>({ kind: 'activate', generation }),
    async prune(generation) {
      await host.request<'prune'>({ kind: 'prune', generation });
    },
    [Symbol.asyncDispose]: () => host.close(),
  };
}
