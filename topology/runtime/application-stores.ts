import { MillraceError } from '../../schemas/errors.ts';
import type { GroupCommit } from '../../state/index.ts';
import { canonicalJson, compareFingerprints, fingerprint, type Fingerprint } from '../graph/fingerprint.ts';
import type { TopologyGraph } from '../graph/graph.ts';
import type { ApplicationState } from './application-state.ts';

/**
 * Checks that the folder's state is of this topology, and gives every store its number.
 * @throws MillraceError `TOPOLOGY_INCOMPATIBLE` naming what changed since the folder was last used with this application id.
 */
export async function numberedStores(
  state: ApplicationState,
  commits: GroupCommit,
  graph: TopologyGraph,
  internalTopics: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, number>> {
  const current = fingerprint(graph, internalTopics);
  await checkFingerprint(state, current);
  const { ids, nextId } = await numberStores(state, graph);
  await commits.submit((writer) => {
    state.stageFingerprint(writer, canonicalJson(current));
    state.stageStoreIds(writer, ids, nextId);
  });
  return ids;
}

async function checkFingerprint(state: ApplicationState, current: Fingerprint): Promise<void> {
  const { applicationId } = state;
  const saved = await state.fingerprint();
  if (saved === undefined) return;
  const changes = compareFingerprints(JSON.parse(saved) as Fingerprint, current);
  if (changes.length === 0) return;
  throw new MillraceError(
    'TOPOLOGY_INCOMPATIBLE',
    `The state of '${applicationId}' was made by another topology: ${changes.join('; ')}. ` +
      'Use a new application id or data folder, or go back to the topology that made it.',
    { applicationId, changes: changes.join('; ') },
  );
}

async function numberStores(state: ApplicationState, graph: TopologyGraph) {
  let nextId = await state.nextStoreId();
  const ids = new Map<string, number>();
  for (const name of graph.stores.keys()) ids.set(name, (await state.storeId(name)) ?? nextId++);
  return { ids, nextId };
}
