import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytes, collect, engineConformance, text } from './conformance/engine-conformance.ts';
import { temporaryFolders } from './conformance/temporary-folder.ts';
import { openDataFolder } from './data-folder.ts';
import { WriteBatchBuilder } from './write-batch.ts';

const newFolder = temporaryFolders();
const all = { gte: bytes('a'), lt: bytes('z') };

engineConformance('rocksdb', () => openDataFolder(newFolder()));

describe('RocksDB engine', () => {
  it('has every family as it was after closing and opening', async () => {
    const folder = newFolder();
    const first = await openDataFolder(folder);
    await first.write(put('log', 'state', 'meta'));
    await first[Symbol.asyncDispose]();
    const second = await openDataFolder(folder);
    for (const family of ['log', 'state', 'meta'] as const) {
      const entries = await collect(second.range(family, all));
      expect(entries.map((entry) => [text(entry.key), text(entry.value)])).toEqual([['key', family]]);
    }
    await second[Symbol.asyncDispose]();
  });

  it('reads without the lock when opened to read only, and refuses to write', async () => {
    const folder = newFolder();
    const owner = await openDataFolder(folder);
    await owner.write(put('state'));
    const reader = await openDataFolder(folder, { readOnly: true });
    expect((await collect(reader.range('state', all))).map((entry) => text(entry.value))).toEqual(['state']);
    await expect(reader.write(put('state'))).rejects.toThrow(/read only/);
    await reader[Symbol.asyncDispose]();
    await owner.write(put('meta'));
    await owner[Symbol.asyncDispose]();
  });

  it('drops write-ahead files that a cold family would pin, once the bound is passed', async () => {
    const folder = newFolder();
    const engine = await openDataFolder(folder, { walBytesMax: 2_000_000 });
    await engine.write(put('meta'));
    const value = new Uint8Array(100_000);
    for (let i = 0; i < 100; i++) {
      const batch = new WriteBatchBuilder();
      batch.put('log', bytes(`key${i}`), value);
      await engine.write(batch);
    }
    await engine.flush();
    const wal = readdirSync(join(folder, 'db')).filter((name) => name.endsWith('.log'));
    const walBytes = wal.reduce((sum, name) => sum + statSync(join(folder, 'db', name)).size, 0);
    expect(walBytes).toBeLessThan(2_000_000);
    expect((await engine.stats()).diskBytes).toBeGreaterThan(walBytes);
    await engine[Symbol.asyncDispose]();
  });

  it('syncs while files of the write-ahead log come and go', async () => {
    const engine = await openDataFolder(newFolder(), { walBytesMax: 50_000 });
    for (let i = 0; i < 40; i++) {
      const batch = new WriteBatchBuilder();
      batch.put('log', bytes(`key${i}`), new Uint8Array(10_000));
      await engine.write(batch, { sync: i % 2 === 0 });
    }
    await engine.write(new WriteBatchBuilder(), { sync: true });
    expect(await engine.stats()).toMatchObject({ syncs: 21, batches: 40 });
    await engine[Symbol.asyncDispose]();
  });

  it('closes though ranges are left half read, which then end with an error instead of early', async () => {
    const engine = await openDataFolder(newFolder());
    const batch = new WriteBatchBuilder();
    for (let i = 0; i < 5000; i++) batch.put('state', bytes(`key${i}`), new Uint8Array(100));
    await engine.write(batch);
    const snapshot = engine.snapshot();
    const ranges = [engine.range('state', all), snapshot.range('state', all)].map((range) =>
      range[Symbol.asyncIterator](),
    );
    for (const range of ranges) expect((await range.next()).done).toBe(false);
    await engine[Symbol.asyncDispose]();
    for (const range of ranges) await expect(range.next()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await snapshot[Symbol.asyncDispose]();
  });

  it('writes nothing more after a sync has failed, since what is durable is in doubt', async () => {
    const folder = newFolder();
    const engine = await openDataFolder(folder);
    await engine.write(put('state'));
    rmSync(join(folder, 'db'), { recursive: true });
    await expect(engine.write(put('state'), { sync: true })).rejects.toThrow(/ENOENT/);
    await expect(engine.write(put('state'))).rejects.toThrow(/earlier write .* failed/);
    await engine[Symbol.asyncDispose]();
  });
});

function put(...families: readonly ('log' | 'state' | 'meta')[]): WriteBatchBuilder {
  const batch = new WriteBatchBuilder();
  for (const family of families) batch.put(family, bytes('key'), bytes(family));
  return batch;
}
