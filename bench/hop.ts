/**
 * What a repartition hop costs inside one process: records handed over as objects, beside the same topology with every
 * record taken through its bytes and the log (docs/decisions/004-open-records.md).
 *
 *     npx tsx bench/hop.ts [rounds = 5]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonSerde, stringSerde } from '../schemas/index.ts';
import { EmbeddedRuntime, StreamsBuilder } from '../topology/index.ts';
import { openFolder } from './replay/folder.ts';
import { spread } from './support/spread.ts';

const rounds = Number(process.argv[2] ?? 5);
const count = 500_000;
const work = await mkdtemp(join(tmpdir(), 'millrace-bench-hop-'));
const rates = { objects: [] as number[], bytes: [] as number[] };
try {
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (['objects', 'bytes'] as const) : (['bytes', 'objects'] as const);
    for (const way of order) rates[way].push(await recordsPerCpuSecond(join(work, `${round}-${way}`), way === 'bytes'));
  }
  console.log(`as objects      ${spread(rates.objects)} records per CPU second`);
  console.log(`through bytes   ${spread(rates.bytes)} records per CPU second`);
  console.log(
    `ratio           ${spread(
      rates.objects.map((rate, round) => rate / rates.bytes[round]!),
      2,
    )}`,
  );
} finally {
  await rm(work, { recursive: true });
}

async function recordsPerCpuSecond(folder: string, roundTrip: boolean): Promise<number> {
  await using opened = await openFolder(folder);
  const { engine, commits, log } = opened;
  await log.createTopics([{ name: 'words', partitions: 1 }]);
  const encoder = new TextEncoder();
  for (let at = 0; at < count; at += 1000) {
    const records = Array.from({ length: 1000 }, (_, i) => ({
      key: encoder.encode(`k${(at + i) % 5000}`),
      value: encoder.encode(`word${(at * 7 + i * 13) % 20_000}`),
      timestamp: at + i,
    }));
    await log.produce({ topic: 'words', partition: 0 }, records);
  }
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  builder
    .stream<string, string>('words')
    .selectKey((_, word) => word)
    .groupByKey({ name: 'by-word' })
    .count({ store: { name: 'counts', valueSerde: jsonSerde<number>() } });
  const topology = builder.build();
  const runtime = await EmbeddedRuntime.open({
    topology,
    applicationId: 'hop',
    engine,
    commits,
    log,
    config: { roundTrip },
  });
  const start = process.cpuUsage();
  await runtime.drain();
  const { user, system } = process.cpuUsage(start);
  await runtime.stop();
  return count / ((user + system) / 1e6);
}
