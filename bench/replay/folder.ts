import { openEmbeddedLog, type EmbeddedLog } from '../../log/index.ts';
import { interactionSerde, shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { ingest, openUciOnlineRetail, type IngestTarget } from '../../sources/index.ts';
import { createGroupCommit, openDataFolder, type Engine, type GroupCommit } from '../../state/index.ts';

export interface OpenFolder extends AsyncDisposable {
  readonly engine: Engine;
  readonly commits: GroupCommit;
  readonly log: EmbeddedLog;
}

export async function openFolder(folder: string): Promise<OpenFolder> {
  const engine = await openDataFolder(folder);
  const commits = createGroupCommit(engine);
  const log = await openEmbeddedLog({ engine, commits });
  return {
    engine,
    commits,
    log,
    async [Symbol.asyncDispose]() {
      await commits.idle();
      await log[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    },
  };
}

/** A data folder whose topic `interactions` holds both years of UCI Online Retail; how many events it is. */
export async function fillFolder(folder: string, partitions: number): Promise<number> {
  await using opened = await openFolder(folder);
  const { log } = opened;
  const serde = await interactionSerde(await openEmbeddedRegistry(folder), shopTopics.interactions);
  await log.createTopics([{ name: shopTopics.interactions, partitions }]);
  const target: IngestTarget = {
    partitions,
    async appendEvents(events) {
      for (let partition = 0; partition < partitions; partition++) {
        const records = events.filter((event) => event.partition === partition);
        if (records.length > 0) await log.produce({ topic: shopTopics.interactions, partition }, records);
      }
    },
    async appendDeadLetters() {
      // Not what is measured.
    },
  };
  let events = 0;
  for (const year of [1, 2]) {
    const path = new URL(`../../data/uci-online-retail/year-${year}.csv.br`, import.meta.url).pathname;
    events += (await ingest({ source: await openUciOnlineRetail(path), target, serde })).events;
  }
  return events;
}
