import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { millrace, MillraceProcess } from '../startup/millrace-process.ts';

/** What `npm start` does, from an empty folder to the end of the second year, stopped in every phase on the way. */
const dataDir = mkdtempSync(join(tmpdir(), 'millrace-dataset-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const options = (pace: number) => ['--data-dir', dataDir, '--port', '0', '--pace', `${pace}`];
const start = (pace: number) => new MillraceProcess(['start', '--dataset', 'uci', ...options(pace)]);

interface Example {
  readonly command: string;
  readonly answer: unknown;
}

function examplesIn(stdout: string): Example[] {
  return [...stdout.matchAll(/^\$ (curl .*)\n(.*)$/gm)].map(([, command, answer]) => ({
    command: command!,
    answer: JSON.parse(answer!) as unknown,
  }));
}

/** As a user would: the printed line, in a shell. */
function runCommand({ command }: Example): unknown {
  const { asOf: _, ...answer } = JSON.parse(execFileSync('sh', ['-c', command], { encoding: 'utf8' })) as {
    asOf: unknown;
  };
  return answer;
}

function loadedRows(file: string): number {
  const { files } = JSON.parse(readFileSync(join(dataDir, 'dataset.json'), 'utf8')) as {
    files: { [file: string]: { rows: number } };
  };
  return files[file]?.rows ?? 0;
}

async function committed(url: string): Promise<number> {
  const { partitions } = (await (await fetch(`${url}/v1/lag`)).json()) as {
    partitions: { topic: string; committedOffset: number }[];
  };
  return partitions.find(({ topic }) => topic === 'interactions')!.committedOffset;
}

test('stopped in the middle of the backfill, a start goes on there; the printed answers hold while year 2 streams', async () => {
  {
    await using first = start(0);
    await first.until(/Year 1: [2-9]\d %/);
    expect(await first.stop()).toMatchObject({ code: 0, stdout: expect.not.stringContaining('curl') as string });
  }
  const rowsOfFirst = loadedRows('year-1.csv.br');
  expect(rowsOfFirst).toBeGreaterThan(50_000);

  let printed: Example[];
  {
    await using second = start(2000);
    await second.until(/Streaming year 2 live, 2,000 events a second/);
    printed = examplesIn(second.stdout);
    expect(printed).toHaveLength(3);
    const url = await second.url();
    const before = await committed(url);
    let after = before;
    // Answers are compared until more of the second year has come in than both years share.
    while (after < before + 40_000) {
      expect(printed.map(runCommand)).toEqual(printed.map(({ answer }) => answer));
      after = await committed(url);
    }
    expect((await second.stop()).code).toBe(0);
  }
  expect(loadedRows('year-1.csv.br')).toBe(525_461);
  const rowsOfSecond = loadedRows('year-2.csv.br');
  expect(rowsOfSecond).toBeGreaterThan(30_000);

  {
    // Built, as a user runs it.
    await using third = MillraceProcess.npmStart(options(0));
    await third.until(/Year 2 has been streamed to its end/);
    const again = examplesIn(third.stdout);
    expect(again.map(({ answer }) => answer)).toEqual(printed.map(({ answer }) => answer));
    expect(again.map(runCommand)).toEqual(printed.map(({ answer }) => answer));
    expect((await third.stop()).code).toBe(0);
  }

  const { code, stdout } = await millrace(['verify', '--data-dir', dataDir]);
  expect([code, stdout]).toEqual([0, expect.stringContaining('accepted 1,041,448')]);
  const read = Number(/read ([\d,]+)/.exec(stdout)![1]!.replaceAll(',', ''));
  // Both years whole are 1,063,907 events: each of the two stops may cost a batch of a thousand rows.
  expect(read - 1_063_907).toBeLessThanOrEqual(2 * 1000);
});
