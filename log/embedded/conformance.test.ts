import { afterAll } from 'vitest';
import { createGroupCommit, createMemoryEngine, openDataFolder, type Engine } from '../../state/index.ts';
import { logConformance } from '../conformance/log-conformance.ts';
import type { Log } from '../log.ts';
import { temporaryFolders } from '../conformance/temporary-folder.ts';
import { openEmbeddedLog } from './index.ts';

const newFolder = temporaryFolders();
const opened = new Set<Engine>();
afterAll(async () => {
  for (const engine of opened) await engine[Symbol.asyncDispose]();
});

logConformance(
  'embedded log in memory',
  ...over(async () => ({ engine: createMemoryEngine(), close: async () => {} })),
);

logConformance(
  'embedded log on RocksDB',
  ...over(async (previous) => {
    const folder = previous?.folder ?? newFolder();
    const engine = await openDataFolder(folder);
    return { engine, folder, close: async () => engine[Symbol.asyncDispose]() };
  }),
);

interface Storage {
  readonly engine: Engine;
  readonly folder?: string;
  close(): Promise<void>;
}

function over(
  open: (previous?: Storage) => Promise<Storage>,
): [() => Promise<Log>, Parameters<typeof logConformance>[2]] {
  const storages = new WeakMap<Log, Storage>();
  const openOn = async (storage: Storage): Promise<Log> => {
    const { engine } = storage;
    const log = await openEmbeddedLog({ engine, commits: createGroupCommit(engine) });
    storages.set(log, storage);
    opened.add(engine);
    return log;
  };
  const reopen = async (log: Log): Promise<Log> => {
    const storage = storages.get(log) as Storage;
    await log[Symbol.asyncDispose]();
    if (storage.folder === undefined) return openOn(storage);
    await storage.close();
    return openOn(await open(storage));
  };
  return [
    async () => openOn(await open()),
    { producerSequences: true, awaitsRevocation: true, maxRecordBytes: 1 << 20, reopen },
  ];
}
