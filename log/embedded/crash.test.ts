import { fork } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createGroupCommit, openDataFolder } from '../../state/index.ts';
import { readAll, textOf } from '../conformance/support.ts';
import { temporaryFolders } from '../conformance/temporary-folder.ts';
import { openEmbeddedLog } from './index.ts';

const newFolder = temporaryFolders();
const partition = { topic: 'crash', partition: 0 };

describe('a killed process', () => {
  it('has every acknowledged batch when it is opened again, whole, once, and gives no offset out twice', async () => {
    const folder = newFolder();
    const acknowledged = new Map<string, number>();
    let endBefore = 0;
    for (let life = 0; life < 3; life++) {
      for (const [batch, offset] of await appendUntilKilled(folder, life)) acknowledged.set(batch, offset);
      const engine = await openDataFolder(folder);
      const log = await openEmbeddedLog({ engine, commits: createGroupCommit(engine) });
      const found = new Map<string, number[]>();
      for (const { value, offset } of await readAll(log, partition)) {
        const batch = textOf(value) as string;
        found.set(batch, [...(found.get(batch) ?? []), offset]);
      }
      for (const [batch, offset] of acknowledged) expect([batch, found.get(batch)?.[0]]).toEqual([batch, offset]);
      for (const offsets of found.values()) {
        expect(offsets).toEqual(Array.from({ length: batchRecords }, (_, i) => (offsets[0] as number) + i));
      }
      expect(log.endOffset(partition)).toBeGreaterThan(endBefore);
      endBefore = log.endOffset(partition);
      await log[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(60);
  }, 60_000);
});

const batchRecords = 20;

/** What the child said was durable before it died with batches on their way: batch name -> base offset. */
function appendUntilKilled(folder: string, life: number): Promise<[string, number][]> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'crash-child.ts'), [folder, `${life}`, `${batchRecords}`], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const acknowledged: [string, number][] = [];
    child.on('message', (message) => {
      acknowledged.push(message as [string, number]);
      if (acknowledged.length === 20 + life * 7) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      if (signal === 'SIGKILL') resolve(acknowledged);
      else reject(new Error('the child ended by itself'));
    });
  });
}
