import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openEmbeddedRegistry } from '../schemas/index.ts';
import { shopTopology } from './shop-topology.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-shop-topology-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('sub-topologies keep their numbers: data folders and changelogs go by them', async () => {
  const { graph } = await shopTopology({ registry: await openEmbeddedRegistry(folder) });
  expect(graph.subtopologies.map(({ id, sourceTopics }) => [id, ...sourceTopics.map(String).toSorted()])).toEqual([
    [0, 'interactions'],
    [1, 'interactions.clean'],
    [2, 'pair-steps-repartition'],
    [3, 'by-product-repartition', 'products.history'],
    [4, 'category-products-repartition', 'category-sessions-repartition'],
    [5, 'by-session-repartition', 'category-versions-repartition'],
    [6, 'by-user-repartition'],
  ]);
});
