import { restoreBackup } from '../../state/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { whole } from '../progress.ts';
import { print } from '../terminal.ts';

/** Makes a data folder of a backup, every file checked. */
export async function restore(backup: string, dataDir: string): Promise<number> {
  const { madeAtMs, rows } = await restoreBackup(backup, dataDir);
  print(`${whole(rows)} rows of ${new Date(madeAtMs).toISOString()} in ${dataDir}.`);
  return exitCodes.ok;
}
