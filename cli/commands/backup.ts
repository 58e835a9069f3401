import { resolve } from 'node:path';
import { isMillraceError } from '../../schemas/index.ts';
import { type Answers, Host } from '../../serving/host/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { requireDataFolder } from '../inspect/inspection.ts';
import { ServerInspection } from '../inspect/server-inspection.ts';
import { whole } from '../progress.ts';
import type { Settings } from '../settings.ts';
import { print } from '../terminal.ts';

/** Copies the data folder, by the server that has it open, or by opening it with the topology at rest. */
export async function backup({ dataDir }: Settings, target: string): Promise<number> {
  await requireDataFolder(dataDir);
  const begun = performance.now();
  const { rows, bytes } = await take(dataDir, resolve(target));
  const seconds = (performance.now() - begun) / 1000;
  const rate = (bytes / 1e6 / seconds).toFixed(1);
  print(`${whole(rows)} rows, ${whole(bytes)} bytes in ${target}, after ${seconds.toFixed(1)} s (${rate} MB/s).`);
  return exitCodes.ok;
}

async function take(dataDir: string, folder: string): Promise<Answers['backup']> {
  try {
    await using host = await Host.open({ dataDir, runs: false });
    host.onPublication(() => undefined);
    return await host.request<'backup'>({ kind: 'backup', folder });
  } catch (error) {
    if (!isMillraceError(error, 'DATA_FOLDER_IN_USE') || typeof error.facts['url'] !== 'string') throw error;
    return await new ServerInspection(error.facts['url']).backup(folder);
  }
}
