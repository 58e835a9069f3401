import { join } from 'node:path';
// @ts-expect-error The module is plain JavaScript, as all of scripts/*.mjs is.
import { allocatorEnvironment as allocator } from '../../scripts/allocator-environment.mjs';
import { coreTables, partTables } from './compared-tables.ts';
import type { Peer } from './peer.ts';

export const allocatorEnvironment = allocator as () => Record<string, string>;

/** Millrace, one instance: the whole shop topology, so more than the tables that are compared. */
export const millracePeer = peer('Millrace', 'shop', coreTables);

/** Millrace, one instance: part-topology.ts. */
export const millracePartPeer = peer('Millrace, the same part', 'part', partTables);

function peer(name: string, topology: 'shop' | 'part', tables: readonly string[]): Peer {
  return {
    name,
    tables,
    command: ({ brokers, registryUrl, applicationId, folder, partitions, commitIntervalMs }) => ({
      file: process.execPath,
      args: [
        ...['--max-semi-space-size=64', '--import', 'tsx/esm', join(import.meta.dirname, 'millrace-child.ts')],
        ...[brokers, registryUrl, applicationId, folder, String(partitions), String(commitIntervalMs), topology],
      ],
      environment: allocatorEnvironment(),
    }),
  };
}
