import { fileURLToPath } from 'node:url';
import type { LogEvent } from '../../models/recompute/index.ts';
import type { Log } from '../../log/index.ts';
import { interactionSerde, shopTopics } from '../../processors/index.ts';
import type { SchemaRegistry } from '../../schemas/index.ts';
import { ingest, openMillraceEvents, openUciOnlineRetail, type IngestTarget } from '../../sources/index.ts';

export interface Input {
  readonly log: Log;
  readonly registry: SchemaRegistry;
  readonly partitions: number;
}

const topic = shopTopics.interactions;

export interface InputEvents {
  /** Events as NDJSON; else both years of UCI Online Retail. */
  readonly file?: string | undefined;
  /** The first so many; default all. */
  readonly limit?: number | undefined;
}

/** Fills the topic `interactions`. How many events it is. */
export async function fillInput(
  { log, registry, partitions }: Input,
  { file, limit = Infinity }: InputEvents,
): Promise<number> {
  await log.createTopics([{ name: topic, partitions }]);
  const serde = await interactionSerde(registry, topic);
  const enough = new AbortController();
  let filled = 0;
  // Several batches are on their way at once; their order in a partition is that of the file all the same.
  let appended: Promise<unknown> = Promise.resolve();
  const append = async (events: Parameters<IngestTarget['appendEvents']>[0]) => {
    for (let partition = 0; partition < partitions; partition++) {
      const records = events.filter((event) => event.partition === partition);
      if (records.length > 0) await log.produce({ topic, partition }, records);
    }
  };
  const target: IngestTarget = {
    partitions,
    async appendEvents(read) {
      const events = read.slice(0, limit - filled);
      filled += events.length;
      if (filled === limit) enough.abort();
      await (appended = appended.then(() => append(events)));
    },
    async appendDeadLetters() {
      // Not what is measured.
    },
  };
  for (const source of file === undefined ? await uciYears() : [await openMillraceEvents(file)]) {
    try {
      await ingest({ source, target, serde, signal: enough.signal });
    } catch (error) {
      if (error !== enough.signal.reason) throw error;
    }
  }
  return filled;
}

function uciYears() {
  const paths = [1, 2].map((year) => new URL(`../../data/uci-online-retail/year-${year}.csv.br`, import.meta.url));
  return Promise.all(paths.map((path) => openUciOnlineRetail(fileURLToPath(path))));
}

/** What was filled in, partition by partition: what a final state is recomputed from. */
export async function* inputEvents({ log, registry, partitions }: Input): AsyncGenerator<LogEvent> {
  const serde = await interactionSerde(registry, topic);
  for (let partition = 0; partition < partitions; partition++) {
    const end = await log.listOffsets({ topic, partition }, 'latest');
    for (let offset = 0; offset < end;) {
      const read = await log.read({ topic, partition }, offset, { maxRecords: 5000, maxBytes: 4 * 1024 * 1024 });
      for (const { value } of read.records) yield { partition, value: serde.deserialize(value!) };
      offset = read.nextOffset;
    }
  }
}
