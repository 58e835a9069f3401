import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Host } from '../../serving/host/index.ts';
import { kafkaSettings } from '../kafka-settings.ts';
import type { Settings } from '../settings.ts';

export interface OpenedForLoad extends AsyncDisposable {
  readonly host: Host;
  /** Whether the topology runs in this process, so that one can wait for it. On a cluster it runs elsewhere. */
  readonly runs: boolean;
}

/** What a file is loaded into: the data folder, or the topics of a cluster. */
export async function openForLoad(settings: Settings, waits: boolean): Promise<OpenedForLoad> {
  const { dataDir, partitions, syncWrites } = settings;
  const kafka = kafkaSettings(settings);
  if (kafka === undefined) {
    const host = await Host.open({ dataDir, partitions, syncWrites, runs: waits });
    return { host, runs: waits, [Symbol.asyncDispose]: () => host.close() };
  }
  // It runs no task, so it has no state to keep.
  const folder = await mkdtemp(join(tmpdir(), 'millrace-load-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const host = await Host.open({ dataDir: folder, partitions, kafka, runs: false });
    return {
      host,
      runs: false,
      async [Symbol.asyncDispose]() {
        await host.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
