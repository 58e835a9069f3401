import { openDataFolder } from '../data-folder.ts';
import { WriteBatchBuilder } from '../write-batch.ts';

/**
 * A process that has a data folder open: `tsx hold-data-folder.ts FOLDER [write]`. It prints `open` once it has, and with
 * `write` the number of each batch once it is acknowledged: batch n puts n into every family. It ends when killed.
 */
const [folder = '', mode] = process.argv.slice(2);
const engine = await openDataFolder(folder, { walBytesMax: 200_000 });
process.stdout.write('open\n');
setInterval(() => undefined, 1 << 30);
for (let n = 0; mode === 'write'; n++) {
  const batch = new WriteBatchBuilder();
  for (const family of ['log', 'state', 'meta'] as const) {
    batch.put(family, Buffer.from(`n${String(n).padStart(8, '0')}`), Buffer.alloc(500, n));
  }
  await engine.write(batch, { sync: n % 50 === 0 });
  process.stdout.write(`${n}\n`);
}
