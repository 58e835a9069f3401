import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { uniqueName } from '../../../log/conformance/support.ts';
import { openKafkaLog, type Log } from '../../../log/index.ts';
import { startKafka } from '../../../scripts/kafka/broker.ts';
import type { KeyValueStore, ValueAndTimestamp } from '../../../state/index.ts';
import {
  allSent,
  expectedCounts,
  expectedUpdates,
  Instance,
  partitions,
  produceLines,
} from '../../../topology/distributed/word-counts.testing.ts';
import { describeWithKafka } from '../real-kafka.ts';
import { ChildInstance } from './child-instance.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { faultReport, faults, full, runFaults } from './faults.ts';

/**
 * Words are counted by three processes on a real broker, while they are killed and paused, the broker is killed, and connections
 * are lost around the ends of transactions. Every line has to count once, in what was sent as in what the changelogs hold.
 */
const linesMin = full ? 300_000 : 40_000;
const instances = 3;
const script = new URL('words-child.ts', import.meta.url);
const faultEveryMs = 5000;

describeWithKafka('chaos on a real broker', () => {
  it('every line counts once', { timeout: 30 * 60_000 }, async () => {
    await using proxy = await CuttingProxy.open();
    await using broker = await startKafka({
      overrides: { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${proxy.port}` },
    });
    proxy.to(Number(broker.address.split(':')[1]));
    const address = `127.0.0.1:${proxy.port}`;
    const applicationId = uniqueName('words');
    await using log = await openKafkaLog({ brokers: [address], requestTimeoutMs: 5000, retryMs: 120_000 });
    await log.createTopics(['lines', 'counts'].map((name) => ({ name, partitions })));

    let lines = 0;
    const running = Array.from({ length: instances }, () => new ChildInstance(script, [address, applicationId]));
    try {
      for (const instance of running) await instance.started;
      // Lines come as long as things go wrong.
      let goesWrong = true;
      const producing = produceSteadily(log, () => goesWrong, faults.length * faultEveryMs);
      await runFaults({ instances: running, proxy, broker, everyMs: faultEveryMs, pauseMs: 8000 });
      goesWrong = false;
      lines = await producing;
      const sent = await allSent(log, lines, 5 * 60_000);
      for (const instance of running) expect(instance.failures).toEqual([]);
      const wrong = differences(sent, expectedUpdates(lines));
      if (wrong.length > 0) for (const { seen, tasks } of running) console.log(JSON.stringify({ ...seen, tasks }));
      expect(wrong).toEqual([]);
      expect(proxy.planned).toBe(0);
      console.log(`${lines} lines; ${faultReport(running, proxy)}`);
    } finally {
      for (const instance of running) await instance.kill();
    }

    // What the changelogs hold, restored into an empty folder.
    await using last = await Instance.start(log, applicationId);
    while (last.runtime.tasks.running.length < 2 * partitions) await sleep(100);
    expect(await storedCounts(last)).toEqual(expectedCounts(lines));
  });
});

/** Words whose updates are not 1, 2, 3 …: what is there and should not be, and what is not. */
function differences(sent: ReadonlyMap<string, number[]>, expected: ReadonlyMap<string, number[]>): string[] {
  return [...expected].flatMap(([word, updates]) => {
    const found = sent.get(word) ?? [];
    if (found.length === updates.length && found.every((update, at) => update === updates[at])) return [];
    const at = found.findIndex((update, place) => update !== updates[place]);
    return `${word}: ${found.length} of ${updates.length}, … ${found.slice(Math.max(0, at - 3), at + 4).join(' ')} …`;
  });
}

/** So many lines in about so long, and on for as long as things go wrong. How many it was. */
async function produceSteadily(log: Log, goesWrong: () => boolean, forMs: number): Promise<number> {
  const step = 200;
  const begun = performance.now();
  let from = 0;
  for (; from < linesMin || goesWrong(); from += step) {
    await produceLines(log, from, from + step);
    await sleep(Math.max(0, begun + (forMs * from) / linesMin - performance.now()));
  }
  return from;
}

async function storedCounts({ runtime }: Instance): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const store of runtime.stores('counts')) {
    const rows = (store as KeyValueStore<string, ValueAndTimestamp<number>>).committedRange();
    for await (const [word, { value }] of rows) counts.set(word, value);
  }
  return counts;
}
