import { expect, test } from 'vitest';
import { stringSerde } from '../../schemas/index.ts';
import { StreamsBuilder } from '../dsl/streams-builder.ts';
import { TimeWindows } from '../index.ts';
import { changelogTopics } from './changelog-topics.ts';

test('changelogs are compacted, those of window stores end with their windows', () => {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  const words = builder.stream<string, string>('words').groupByKey();
  words.count({ name: 'total', store: 'totals' });
  words
    .windowedBy(TimeWindows.ofSizeAndGrace({ sizeMs: 60_000, graceMs: 10_000 }))
    .count({ name: 'minutes', store: { name: 'minutes', retentionMs: 3_600_000 } });
  const { graph } = builder.build();
  const options = { applicationId: 'app', tasks: new Map([[0, 3]]), deleteRetentionMs: 500, additionalMs: 1000 };
  expect(changelogTopics(graph, options)).toEqual([
    { name: 'app-totals-changelog', partitions: 3, cleanup: 'compact', deleteRetentionMs: 500 },
    {
      name: 'app-minutes-changelog',
      partitions: 3,
      cleanup: 'compact,delete',
      deleteRetentionMs: 500,
      retentionMs: 3_601_000,
    },
    { name: 'app-task-state-changelog', partitions: 3, cleanup: 'compact', deleteRetentionMs: 500 },
  ]);
});
