import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openKafkaLog, type Log } from '../../../log/index.ts';
import { compareState, formatComparison, recomputeUci } from '../../../models/recompute/index.ts';
import { interactionSerde, shopTopics } from '../../../processors/index.ts';
import { confluentRegistry } from '../../../schemas/index.ts';
import { startKafka } from '../../../scripts/kafka/broker.ts';
import { startRegistry } from '../../../scripts/registry/registry.ts';
import { HostStateReader } from '../../../serving/host/index.ts';
import { ingest, openUciOnlineRetail, type IngestTarget } from '../../../sources/index.ts';
import { temporaryFolder, writeSlices } from '../../equality/shop-run.ts';
import { describeWithKafka } from '../real-kafka.ts';
import { ShopInstance } from '../shop-instance.ts';
import { ChildInstance } from './child-instance.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { faultReport, faults, full, runFaults } from './faults.ts';

/**
 * The shop in three processes on a real broker, while they are killed and paused, the broker is killed, and connections are lost around
 * the ends of transactions. What was accepted has to be in the outputs once, and the state, which another instance makes of the changelogs
 * alone, equal to a recomputation of the files.
 */
const lines = full ? 152_000 : 10_000;
const partitions = 4;
const faultEveryMs = 8000;
const script = new URL('shop-child.ts', import.meta.url);

describeWithKafka('chaos on a real broker', () => {
  it('leaves the shop as its events make it', { timeout: 90 * 60_000 }, async () => {
    await using folder = await temporaryFolder();
    const files = await writeSlices(folder.path, lines);
    const expected = await recomputeUci(files);
    await using registry = await startRegistry();
    await using proxy = await CuttingProxy.open();
    await using broker = await startKafka({
      overrides: { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${proxy.port}` },
    });
    proxy.to(Number(broker.address.split(':')[1]));
    const address = `127.0.0.1:${proxy.port}`;
    await using log = await openKafkaLog({ brokers: [address], requestTimeoutMs: 5000, retryMs: 120_000 });
    await log.createTopics([{ name: shopTopics.interactions, partitions }]);

    const args = [address, registry.url, String(partitions)];
    const running = Array.from({ length: 3 }, () => new ChildInstance(script, args));
    try {
      for (const instance of running) await instance.started;
      const producing = produceSteadily(log, { files, registry: registry.url, forMs: faults.length * faultEveryMs });
      await runFaults({ instances: running, proxy, broker, everyMs: faultEveryMs, pauseMs: 8000 });
      const progress = await producing;
      expect(progress.rejected).toBe(expected.counts.invalid);
      for (const instance of running) expect(instance.failures).toEqual([]);
      // The last cut waits for the next end of a transaction, which a rebalance may delay.
      while (proxy.planned > 0) await sleep(100);
      console.log(`${progress.events} events; ${faultReport(running, proxy)}`);
    } finally {
      for (const instance of running) await instance.kill();
    }

    const shop = { brokers: address, registry: registry.url, applicationId: 'shop', partitions };
    await using last = await ShopInstance.start(shop);
    await last.host.request<'caughtUp'>({ kind: 'caughtUp' });
    const comparison = await compareState(expected, new HostStateReader(last.host, last.view));
    console.log(formatComparison(comparison));
    expect(formatComparison(comparison)).toMatch(/Everything compared is equal\.$/);
    expect(await recordsIn(log, shopTopics.clean)).toBe(expected.counts.accepted);
  });
});

/** All lines of the files, in about so long. Repeats of a line by a producer that got no answer are the shop's to drop. */
async function produceSteadily(
  log: Log,
  { files, registry, forMs }: { readonly files: readonly string[]; readonly registry: string; readonly forMs: number },
): Promise<{ readonly events: number; readonly rejected: number }> {
  const serde = await interactionSerde(confluentRegistry({ url: registry }), shopTopics.interactions);
  const begun = performance.now();
  const total = { events: 0, rejected: 0 };
  for (const path of files) {
    const before = total.events;
    const pace = (events: number): Promise<void> =>
      sleep(Math.max(0, begun + (forMs * (before + events)) / (files.length * lines) - performance.now()));
    const source = await openUciOnlineRetail(path);
    const { events, rejected } = await ingest({ source, serde, target: targetOf(log), pace });
    total.events += events;
    total.rejected += rejected;
  }
  return total;
}

function targetOf(log: Log): IngestTarget {
  return {
    partitions,
    async appendEvents(records) {
      const parts = Array.from({ length: partitions }, (_, partition) =>
        records.filter((of) => of.partition === partition),
      );
      const topic = shopTopics.interactions;
      await Promise.all(
        parts.map(async (of, partition) => {
          if (of.length > 0) await log.produce({ topic, partition }, of);
        }),
      );
    },
    async appendDeadLetters(letters) {
      await log.produce({ topic: shopTopics.deadLetter, partition: 0 }, letters);
    },
  };
}

/** Committed ones. */
async function recordsIn(log: Log, topic: string): Promise<number> {
  let count = 0;
  for (let partition = 0; partition < partitions; partition++) {
    const end = await log.listOffsets({ topic, partition }, 'latest');
    for (let offset = 0; offset < end;) {
      const { records, nextOffset } = await log.read({ topic, partition }, offset, limits);
      count += records.length;
      offset = nextOffset;
    }
  }
  return count;
}

const limits = { maxRecords: 10_000, maxBytes: 4 * 1024 * 1024 };
