import type { StateStore } from '../../state/index.ts';
import { taskId } from '../runtime/open-task.ts';
import { createStore, storePrefix } from '../runtime/store-factory.ts';
import { changelogTopic, storeChangelog, taskChangelog, type Changelog } from './changelog.ts';
import type { AssignedTask, DistributedEnvironment } from './environment.ts';

/** The changelogs that a task's state is in, whoever runs it. */
export interface TaskChangelogs {
  /** By store. */
  readonly stores: ReadonlyMap<string, Changelog>;
  readonly clocks: Changelog;
}

/** Topic of the clocks and punctuation schedules of all tasks. */
export function taskStateTopic(applicationId: string): string {
  return changelogTopic(applicationId, 'task-state');
}

export function changelogsOf(environment: DistributedEnvironment, task: AssignedTask): TaskChangelogs {
  const { applicationId, state, storeIds } = environment;
  const { subtopology, partition } = task;
  const stores = subtopology.stores.map((name): [string, Changelog] => {
    const of = { topic: changelogTopic(applicationId, name), partition };
    return [name, storeChangelog(of, storePrefix(storeIds.get(name)!, partition))];
  });
  const clocks = taskChangelog({ topic: taskStateTopic(applicationId), partition }, taskId(task), state);
  return { stores: new Map(stores), clocks };
}

/** Over the rows that the folder has, by name. */
export function storesOf(environment: DistributedEnvironment, task: AssignedTask): ReadonlyMap<string, StateStore> {
  const { graph, storeIds, engine } = environment;
  const { subtopology, partition } = task;
  return new Map(
    subtopology.stores.map((name) => [
      name,
      createStore(graph.stores.get(name)!, storeIds.get(name)!, partition, engine),
    ]),
  );
}
