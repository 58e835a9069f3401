import type { ApplicationState } from '../runtime/application-state.ts';
import { changelogTopic } from './changelog.ts';
import type { AssignedTask } from './environment.ts';

/**
 * How far the folder is in the changelogs of tasks, whoever runs them: the sum of the positions over a task's stores. State that is
 * too old to be brought up to date is none.
 */
export async function taskPositions(
  state: ApplicationState,
  tasks: ReadonlyMap<string, AssignedTask>,
  isGood: (committedMs: number) => boolean,
): Promise<ReadonlyMap<string, number>> {
  const changelogs = [...tasks].flatMap(([id, { subtopology, partition }]) =>
    subtopology.stores.map((store) => ({ id, name: `${changelogTopic(state.applicationId, store)}/${partition}` })),
  );
  const positions = await state.changelogPositions(changelogs.map(({ name }) => name));
  const sums = new Map<string, number>();
  for (const [at, { id }] of changelogs.entries()) {
    const position = positions[at];
    if (position !== undefined && isGood(position.committedMs)) sums.set(id, (sums.get(id) ?? 0) + position.offset);
  }
  return sums;
}
