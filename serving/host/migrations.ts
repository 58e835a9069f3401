import { noteAppendTimes } from '../../log/index.ts';
import type { Migration } from '../../state/index.ts';
import { resetApplication } from '../../topology/index.ts';

/**
 * What became of the shop's data folder, format by format. Names are those of the time, whatever they are called now.
 *
 * | from | what |
 * |------|------|
 * | 1 → 2 | other stores and repartition topics: all that is derived goes, and is computed anew from `interactions` |
 * | 2 → 3 | record batches have an append time: those that are there count as appended now |
 *
 * Dead letters stay: those of refused requests are nowhere else. The topology's own are written once more by the replay.
 */
export const migrations: readonly Migration[] = [
  {
    from: 1,
    what: 'all statistics, profiles and lists are computed anew from the events in the log',
    run: (engine) =>
      resetApplication(engine, {
        applicationId: 'shop',
        keptTopics: ['interactions', 'interactions.dead-letter'],
      }),
  },
  {
    from: 2,
    what: 'for the retention of topics, what is in the log counts as appended today',
    run: (engine) => noteAppendTimes(engine, Date.now()),
  },
];
