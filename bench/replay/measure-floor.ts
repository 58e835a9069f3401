/**
 * Child of bench/replay: the least that a system must do to get from the log to the same state: read and decode the log
 * once, and write the final rows once, in key order, in bulk. The rows are read from a finished folder beforehand,
 * which is not measured. Prints one line of JSON.
 */
import { interactionSerde, shopTopics } from '../../processors/index.ts';
import { openEmbeddedRegistry } from '../../schemas/index.ts';
import { WriteBatchBuilder, type Entry } from '../../state/index.ts';
import { openFolder } from './folder.ts';

const [folder, finishedFolder, partitionsText, rowsABatchText] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
];
const rows: Entry[] = [];
{
  await using finished = await openFolder(finishedFolder);
  const all = { gte: new Uint8Array(), lt: new Uint8Array(9).fill(0xff) };
  for await (const entries of finished.engine.range('state', all)) {
    for (const { key, value } of entries) rows.push({ key: Uint8Array.from(key), value: Uint8Array.from(value) });
  }
}
await using opened = await openFolder(folder);
const { engine, log } = opened;
const serde = await interactionSerde(await openEmbeddedRegistry(folder), shopTopics.interactions);
const cpu = process.cpuUsage();
const start = performance.now();

let events = 0;
for (let partition = 0; partition < Number(partitionsText); partition++) {
  const of = { topic: shopTopics.interactions, partition };
  for (let offset = 0; ;) {
    const { records, nextOffset } = await log.read(of, offset, { maxRecords: 5000, maxBytes: 4 * 1024 * 1024 });
    if (records.length === 0) break;
    for (const { value } of records) if (serde.deserialize(value!).eventId !== '') events += 1;
    offset = nextOffset;
  }
}
const readSeconds = (performance.now() - start) / 1000;

const rowsABatch = Number(rowsABatchText);
let bytes = 0;
for (let at = 0; at < rows.length; at += rowsABatch) {
  const batch = new WriteBatchBuilder();
  for (const { key, value } of rows.slice(at, at + rowsABatch)) {
    batch.put('state', key, value);
    bytes += key.length + value.length;
  }
  await engine.write(batch);
}
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpu);
console.log(
  JSON.stringify({ seconds, readSeconds, cpuSeconds: (user + system) / 1e6, rows: rows.length, bytes, events }),
);
