import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { partTables } from './compared-tables.ts';
import { allocatorEnvironment } from './millrace-peer.ts';
import type { Peer } from './peer.ts';

const project = join(import.meta.dirname, '../peers/flow');

/** The program of bench/peers/flow on @kafkats/flow, installed into a folder. */
export async function flowPeer(folder: string): Promise<Peer> {
  await cp(project, folder, { recursive: true });
  await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-fund', '--no-audit'], { cwd: folder });
  return {
    name: '@kafkats/flow',
    tables: partTables,
    command: ({ brokers, registryUrl, applicationId, partitions, commitIntervalMs }) => ({
      file: process.execPath,
      args: [
        ...['--max-semi-space-size=64', join(folder, 'main.mjs')],
        ...[brokers, registryUrl, applicationId, String(partitions), String(commitIntervalMs)],
      ],
      environment: allocatorEnvironment(),
    }),
  };
}
