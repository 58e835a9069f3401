import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shopTopology } from '../../processors/index.ts';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { describeExecution, type TopologyJson } from '../../topology/index.ts';

/** The topology of this program, without a data folder: schemas are registered in a folder that is thrown away. */
export async function shippedTopology(partitions: number): Promise<{
  readonly text: string;
  readonly json: TopologyJson;
  readonly execution: string;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-topology-'));
  try {
    const topology = await shopTopology({ registry: await openEmbeddedRegistry(folder), partitions });
    return { text: topology.describe(), json: topology.toJSON(), execution: describeExecution(topology.graph) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
