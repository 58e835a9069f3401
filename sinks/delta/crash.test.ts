import { fork } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DeltaTable, tableSchema } from './index.ts';
import { allOf, temporaryFolders } from './temporary-folder.testing.ts';

const newFolder = temporaryFolders();
const schema = tableSchema({ id: 'string', number: 'long' });
const properties = { 'delta.checkpointInterval': '4' };

describe('a writer that is killed', () => {
  it.each(['data-written', 'staged', 'committed', 'checkpoint-written'])(
    'at %s leaves a table with each acknowledged row once, to which the next one goes on writing',
    async (point) => {
      const folder = newFolder();
      await (await DeltaTable.create(folder, { schema, properties }))[Symbol.asyncDispose]();
      let acknowledged = -1;
      // OPTIMIZE passes the points too, and is what some of these kills hit.
      for (const count of [1, 4]) {
        const { numbers, signal } = await write(folder, {
          writer: 'w',
          from: acknowledged + 1,
          appends: 30,
          point,
          count,
        });
        expect(signal).toBe('SIGKILL');
        acknowledged = Math.max(acknowledged, ...numbers);
        await using table = await DeltaTable.open(folder);
        const found = (await allOf(table.read()))
          .map((row) => Number(row['number']))
          .toSorted((left, right) => left - right);
        // One more than was acknowledged may be there, and is not written again: its transaction is.
        expect(found).toEqual(found.map((_, number) => number));
        expect(found.length - 1).toBeGreaterThanOrEqual(acknowledged);
        expect(found.length - 1).toBeLessThanOrEqual(acknowledged + 1);
      }
      await using table = await DeltaTable.open(folder);
      await table.optimize();
      const { paths } = await table.vacuum({ retentionMs: -1, shorter: true });
      expect(paths.length).toBeGreaterThan(0);
      expect(await table.count()).toBeGreaterThan(acknowledged);
    },
    5 * 60_000,
  );
});

describe('processes that write at once', () => {
  it(
    'lose no commit, and none is there twice',
    async () => {
      const folder = newFolder();
      await (await DeltaTable.create(folder, { schema, properties }))[Symbol.asyncDispose]();
      const writers = ['a', 'b', 'c', 'd'];
      const ended = await Promise.all(writers.map((writer) => write(folder, { writer, from: 0, appends: 12 })));
      expect(ended.map(({ signal, code }) => [signal, code])).toEqual(writers.map(() => [null, 0]));
      await using table = await DeltaTable.open(folder);
      const found = (await allOf(table.read())).map((row) => row['id'] as string);
      const wanted = writers.flatMap((writer) => Array.from({ length: 12 }, (_, number) => `${writer} ${number}`));
      expect(found.toSorted()).toEqual(wanted.toSorted());
      expect(table.snapshot.version).toBeGreaterThanOrEqual(wanted.length);
    },
    5 * 60_000,
  );
});

interface Writer {
  readonly writer: string;
  readonly from: number;
  readonly appends: number;
  readonly point?: string;
  readonly count?: number;
}

interface Ended {
  readonly numbers: readonly number[];
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
}

/** Runs crash-child.ts; gives the numbers that it was told are in the table. */
function write(folder: string, { writer, from, appends, point = '', count = 1 }: Writer): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const args = [folder, writer, `${from}`, `${appends}`, point, `${count}`];
    const child = fork(join(import.meta.dirname, 'crash-child.ts'), args, {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const numbers: number[] = [];
    child.on('message', (number) => numbers.push(number as number));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ numbers, signal, code }));
  });
}
