import { exitCodes } from '../exit-codes.ts';
import { isDataFolder, openInspection } from '../inspect/inspection.ts';
import { shippedTopology } from '../inspect/shipped-topology.ts';
import type { Settings } from '../settings.ts';
import { print, table } from '../terminal.ts';

export type TopologyForm = 'text' | 'json' | 'execution';

/** The graph: of the server or the folder, or, when there is no data yet, of this program. */
export async function topology(settings: Settings, form: TopologyForm): Promise<number> {
  if (form === 'execution') {
    // How nodes share batches is not part of the folder or of the API: it is this program's plan.
    print((await shippedTopology(settings.partitions)).execution.trimEnd());
    return exitCodes.ok;
  }
  const { text, json } = (await isDataFolder(settings.dataDir))
    ? await askTopology(settings.dataDir)
    : await shippedTopology(settings.partitions);
  print(form === 'json' ? JSON.stringify(json, null, 2) : text.trimEnd());
  return exitCodes.ok;
}

async function askTopology(dataDir: string) {
  await using inspection = await openInspection(dataDir);
  return await inspection.topology();
}

export async function stores({ dataDir }: Settings): Promise<number> {
  await using inspection = await openInspection(dataDir);
  const rows = (await inspection.stores()).map(({ name, kind, partitions, keySerde, valueSerde, subtopology }) => [
    ...[name, kind, keySerde, valueSerde, partitions, subtopology],
  ]);
  print(table(['STORE', 'KIND', 'KEY', 'VALUE', 'PARTITIONS', 'SUB-TOPOLOGY'], rows));
  return exitCodes.ok;
}

export async function query({ dataDir }: Settings, store: string, key: string): Promise<number> {
  await using inspection = await openInspection(dataDir);
  print(JSON.stringify(await inspection.query(store, key), null, 2));
  return exitCodes.ok;
}
