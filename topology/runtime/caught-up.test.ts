import { afterEach, expect, test } from 'vitest';
import { openEmbeddedLog } from '../../log/index.ts';
import { stringSerde } from '../../schemas/index.ts';
import { createGroupCommit, createMemoryEngine } from '../../state/index.ts';
import { StreamsBuilder } from '../dsl/streams-builder.ts';
import { EmbeddedRuntime } from './embedded-runtime.ts';
import { faults } from './faults.ts';

afterEach(() => {
  faults.reached = undefined;
});

test('catching up waits for what was in the log when it was asked for, not for what goes on coming', async () => {
  const engine = createMemoryEngine();
  const commits = createGroupCommit(engine);
  const log = await openEmbeddedLog({ engine, commits, clock: () => 0 });
  const source = { topic: 'words', partition: 0 };
  await log.createTopics([{ name: 'words', partitions: 1 }]);
  const produce = async (count: number): Promise<void> => {
    const value = new TextEncoder().encode('word');
    await log.produce(
      source,
      Array.from({ length: count }, (_, timestamp) => ({ key: value, value, timestamp })),
    );
  };
  await produce(10);

  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  builder.stream('words').groupByKey().count({ name: 'count', store: 'counts' });
  const topology = builder.build();
  const config = { maxBatchRecords: 1, commitIntervalMs: 1e9, backlogCommitIntervalMs: 1e9 };
  const runtime = await EmbeddedRuntime.open({ topology, applicationId: 'words', engine, commits, log, config });
  // Two records come for each that is processed: the topology never has nothing to do.
  const produced: Promise<void>[] = [];
  faults.reached = (point) => {
    if (point === 'after-poll') produced.push(produce(2));
  };
  const caughtUp = runtime.caughtUp();
  runtime.start();
  await caughtUp;
  const [committed] = runtime.committedOffsets;
  expect(committed!.offset).toBeGreaterThanOrEqual(10);
  expect(log.endOffset(source)).toBeGreaterThan(committed!.offset);
  await runtime.stop();
  await Promise.all(produced);
});
