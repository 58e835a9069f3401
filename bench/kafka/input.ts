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

/** Fills the topic `interactions`: a file of events as NDJSON, else both years of UCI Online Retail. How many events it is. */
export async function fillInput({ log, registry, partitions }: Input, file: string | undefined): Promise<number> {
  await log.createTopics([{ name: topic, partitions }]);
  const serde = await interactionSerde(registry, topic);
  const target: IngestTarget = {
    partitions,
    async appendEvents(events) {
      for (let partition = 0; partition < partitions; partition++) {
        const records = events.filter((event) => event.partition === partition);
        if (records.length > 0) await log.produce({ topic, partition }, records);
      }
    },
    async appendDeadLetters() {
      // Not what is measured.
    },
  };
  let events = 0;
  for (const source of file === undefined ? await uciYears() : [await openMillraceEvents(file)]) {
    events += (await ingest({ source, target, serde })).events;
  }
  return events;
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
