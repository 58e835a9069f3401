/**
 * The state of bench/lookups.ts, in two data folders:
 *
 *     npx tsx bench/lookups-state.ts <folder: the first year of UCI Online Retail, processed>
 *                                    <folder: the same, and the second year thrice in the log, not processed>
 */
import { cp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { interactionSerde, shopTopics } from '../processors/index.ts';
import { openEmbeddedRegistry } from '../schemas/index.ts';
import { Host, hostTarget } from '../serving/index.ts';
import { ingest, openUciOnlineRetail, type EventSource } from '../sources/index.ts';

const [idleDir = '', backlogDir = ''] = process.argv.slice(2);
await append(idleDir, true, [await year(1)]);
await cp(idleDir, backlogDir, { recursive: true });
await append(backlogDir, false, await Promise.all([0, 1, 2].map(async (times) => renamed(await year(2), times))));

async function append(dataDir: string, runs: boolean, sources: readonly EventSource[]): Promise<void> {
  await using host = await Host.open({ dataDir, runs });
  const serde = await interactionSerde(await openEmbeddedRegistry(dataDir), shopTopics.interactions);
  for (const source of sources) {
    const { events } = await ingest({ source, target: hostTarget(host, host.partitions), serde });
    process.stdout.write(`${source.name}: ${events} events in the log\n`);
  }
  if (runs) await host.request({ kind: 'caughtUp' });
}

function year(number: 1 | 2): Promise<EventSource> {
  return openUciOnlineRetail(
    fileURLToPath(new URL(`../data/uci-online-retail/year-${number}.csv.br`, import.meta.url)),
  );
}

/** The same events under other ids, in other sessions. */
function renamed(source: EventSource, times: number): EventSource {
  return {
    ...source,
    async *batches() {
      for await (const batch of source.batches()) {
        const events = batch.events.map((event) => ({
          ...event,
          eventId: `${event.eventId}-${times}`,
          sessionId: `${event.sessionId}-${times}`,
        }));
        yield { ...batch, events, rejects: [] };
      }
    },
  };
}
