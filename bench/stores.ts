import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createKeyValueStore,
  createMemoryEngine,
  createWindowStore,
  openDataFolder,
  utf8Key,
  WriteBatchBuilder,
  type Engine,
} from '../state/index.ts';

/**
 * What the state layer costs, operation by operation: `npx tsx bench/stores.ts [keys]`.
 *
 * Five rounds in alternating order, each on its own key prefix; median, and the span from slowest to fastest. Absolute
 * rates depend on the machine and on what else it does; compare lines of one run.
 */
const keyCount = Number(process.argv[2] ?? 100_000);
const rounds = 5;
const batchSize = 1000;
const rates = new Map<string, number[]>();

const serde = {
  name: 'bench',
  serialize: (value: { readonly n: number }) => Buffer.from(`${String(value.n).padStart(60, '.')}`),
  deserialize: (bytes: Uint8Array) => ({ n: bytes.length }),
};
const keys = Array.from({ length: keyCount }, (_, i) => `product-${Math.imul(i, 2654435761) >>> 0}`);

async function measure(name: string, run: () => void | Promise<void>): Promise<void> {
  const start = performance.now();
  await run();
  const rate = (keyCount / (performance.now() - start)) * 1000;
  rates.set(name, [...(rates.get(name) ?? []), rate]);
}

async function round(label: string, engine: Engine, number: number): Promise<void> {
  const prefix = Buffer.from([1, number]);
  const options = { name: 'bench', partition: 0, prefix, keyCodec: utf8Key, valueSerde: serde, engine };
  const encoded = keys.map((key) => Buffer.concat([prefix, Buffer.from(key)]));

  const fresh = createKeyValueStore(options);
  await measure(`${label}: load, getLoaded, put on a fresh store, a batch of ${batchSize}`, async () => {
    for (let at = 0; at < keyCount; at += batchSize) {
      const batch = keys.slice(at, at + batchSize);
      await fresh.load(batch);
      for (const key of batch) fresh.put(key, { n: (fresh.getLoaded(key)?.n ?? 0) + 1 });
    }
  });
  await measure(`${label}: stage and write`, async () => {
    const batch = new WriteBatchBuilder();
    fresh.stageChanges(batch);
    await engine.write(batch);
    fresh.committed();
  });
  await measure(`${label}: getLoaded, cached`, () => {
    for (const key of keys) fresh.getLoaded(key);
  });
  await measure(`${label}: getLoaded and put, cached`, () => {
    for (const key of keys) fresh.put(key, fresh.getLoaded(key) ?? { n: 0 });
  });
  if (label === 'rocksdb') await engine.flush();
  await measure(`${label}: getMany, a batch of ${batchSize}`, async () => {
    for (let at = 0; at < keyCount; at += batchSize) await engine.getMany('state', encoded.slice(at, at + batchSize));
  });
  const cold = createKeyValueStore(options);
  await measure(`${label}: load into an empty cache, a batch of ${batchSize}`, async () => {
    for (let at = 0; at < keyCount; at += batchSize) await cold.load(keys.slice(at, at + batchSize));
  });
  await measure(`${label}: trim, evicting all`, () => {
    cold.trim(0);
  });
  await measure(`${label}: range over all rows`, async () => {
    for await (const chunk of engine.range('state', { gte: prefix, lt: Buffer.from([1, number + 1]) })) void chunk;
  });
  const windows = createWindowStore({
    ...options,
    prefix: Buffer.from([2, number]),
    windowSizeMs: 60_000,
    retentionMs: 3_600_000,
    advanceMs: 60_000,
  });
  await windows.load([]);
  for (const key of keys) windows.put(key, 60_000, { value: { n: 1 }, timestamp: 1 });
  await measure(`${label}: window getLoaded and put, cached`, () => {
    for (const key of keys) {
      windows.put(key, 60_000, windows.getLoaded(key, 60_000) ?? { value: { n: 0 }, timestamp: 0 });
    }
  });
}

const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
const rocks = await openDataFolder(join(folder, 'data'));
const memory = createMemoryEngine();
try {
  for (let number = 0; number < rounds; number++) {
    const order = [() => round('rocksdb', rocks, number), () => round('memory', memory, number)];
    if (number % 2 === 1) order.reverse();
    for (const run of order) await run();
  }
} finally {
  await rocks[Symbol.asyncDispose]();
  await memory[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
}

const show = (rate: number | undefined) => `${Math.round((rate ?? 0) / 1000)} k/s`.padStart(12);
process.stdout.write(`${keyCount} keys of ~18 bytes, values of 60, Node ${process.version}, ${cpus().length} cores\n`);
for (const [name, all] of [...rates].sort(([a], [b]) => a.localeCompare(b))) {
  const sorted = [...all].sort((a, b) => a - b);
  const span = `${show(sorted[0])} ..${show(sorted.at(-1))}`;
  process.stdout.write(`${name.padEnd(66)}${show(sorted[sorted.length >> 1])}   (${span.trim()})\n`);
}
