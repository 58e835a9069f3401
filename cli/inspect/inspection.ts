import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { isMillraceError, MillraceError } from '../../schemas/index.ts';
import type { StoreFacts } from '../../serving/host/index.ts';
import type { TopologyJson } from '../../topology/index.ts';
import { inspectFolder } from './folder-inspection.ts';
import { ServerInspection } from './server-inspection.ts';

/** Read-only questions about a data folder, whoever has it open. */
export interface Inspection extends AsyncDisposable {
  stores(): Promise<readonly StoreFacts[]>;
  topology(): Promise<{ readonly text: string; readonly json: TopologyJson }>;
  /** @throws MillraceError `STORE_NOT_FOUND`, `NOT_FOUND`, `INVALID_ARGUMENT` when the text is no key of the store. */
  query(store: string, key: string): Promise<unknown>;
}

/**
 * Opens the folder with the topology standing still, or, when a server has it, asks that server.
 * @throws MillraceError `DATA_FOLDER_UNUSABLE` when there is no data, `DATA_FOLDER_IN_USE` when whoever has it serves no
 *   HTTP (a running `ingest` or `verify`).
 */
export async function openInspection(dataDir: string): Promise<Inspection> {
  await requireDataFolder(dataDir);
  try {
    return await inspectFolder(dataDir);
  } catch (error) {
    if (!isMillraceError(error, 'DATA_FOLDER_IN_USE') || typeof error.facts['url'] !== 'string') throw error;
    return new ServerInspection(error.facts['url']);
  }
}

export async function isDataFolder(dataDir: string): Promise<boolean> {
  return await access(join(dataDir, 'format.json')).then(
    () => true,
    () => false,
  );
}

/** Opening a folder makes it; a command that only reads must not. */
export async function requireDataFolder(dataDir: string): Promise<void> {
  if (await isDataFolder(dataDir)) return;
  throw new MillraceError(
    'DATA_FOLDER_UNUSABLE',
    `There is no Millrace data in the folder ${dataDir}: 'millrace start' and 'millrace ingest' make it`,
    { folder: dataDir },
  );
}
