import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { openEmbeddedLog } from '../../log/index.ts';
import { int64Serde, stringSerde } from '../../schemas/index.ts';
import { createGroupCommit, openDataFolder } from '../../state/index.ts';
import { EmbeddedRuntime, StreamsBuilder } from '../../topology/index.ts';
import { millrace, MillraceProcess } from './millrace-process.ts';

// A process takes a second or two to start, many more on a machine that has other things to do.
vi.setConfig({ testTimeout: 120_000 });

/** What keeps `millrace start` from starting: each provoked for real, each one sentence on stderr and exit code 1. */
const folder = mkdtempSync(join(tmpdir(), 'millrace-startup-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a port in use: the sentence names it', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  try {
    expect(await millrace(['start', '--data-dir', join(folder, 'port'), '--port', String(port)])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        `PORT_IN_USE: Port ${port} of 127.0.0.1 is in use by another process: stop it, or choose another port with ` +
        '--port (0 takes a free one).\n',
    });
  } finally {
    taken.close();
  }
});

test('a data folder that another process has open: the sentence names its process and address', async () => {
  const dataDir = join(folder, 'in-use');
  await using owner = new MillraceProcess(['start', '--data-dir', dataDir, '--port', '0']);
  const url = await owner.url();
  const stderr =
    `DATA_FOLDER_IN_USE: The data folder ${dataDir} is in use by process ${owner.pid} (${url}): stop it, or choose ` +
    'another folder; --data-dir names the folder.\n';
  const [start, verify] = await Promise.all([
    millrace(['start', '--data-dir', dataDir, '--port', '0']),
    millrace(['verify', '--data-dir', dataDir]),
  ]);
  expect(start).toEqual({ code: 1, stdout: '', stderr });
  expect(verify).toEqual({ code: 1, stdout: '', stderr });
  expect((await owner.stop()).code).toBe(0);
});

test('a data folder of a newer format: both numbers', async () => {
  const dataDir = mkdtempSync(join(folder, 'newer-'));
  writeFileSync(join(dataDir, 'format.json'), '{"format": 99}');
  expect(await millrace(['start', '--data-dir', dataDir, '--port', '0'])).toEqual({
    code: 1,
    stdout: '',
    stderr:
      `DATA_FOLDER_NEWER: The data folder ${dataDir} has format 99, and this program knows formats up to 5: use the ` +
      'newer program that wrote it, or another folder; --data-dir names the folder.\n',
  });
});

test('a data folder that is a file', async () => {
  const dataDir = join(folder, 'file');
  writeFileSync(dataDir, '');
  const { code, stderr } = await millrace(['start', '--data-dir', dataDir, '--port', '0']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^DATA_FOLDER_UNUSABLE: The data folder .*file can't be used: .*; --data-dir .*\.\n$/);
});

/** An empty file in front of the real library: the linker refuses it as it refuses a missing one. */
function withoutLibatomic(): { readonly LD_LIBRARY_PATH: string } {
  const libraries = mkdtempSync(join(folder, 'libraries-'));
  writeFileSync(join(libraries, 'libatomic.so.1'), '');
  return { LD_LIBRARY_PATH: libraries };
}

function whyLibatomicIsThere(): string | undefined {
  if (process.platform !== 'linux') return 'only on Linux is libatomic a library of the system';
  const { status } = spawnSync(process.execPath, ['--version'], { env: withoutLibatomic() });
  return status === 0 ? undefined : 'this Node is linked with libatomic itself, and does not start without it';
}

const reason = whyLibatomicIsThere();
const title = 'a missing libatomic1: the sentence says what to install';

test.runIf(reason === undefined)(reason === undefined ? title : `${title} [skipped: ${reason}]`, async () => {
  expect(await millrace(['start', '--data-dir', join(folder, 'library'), '--port', '0'], withoutLibatomic())).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'NATIVE_LIBRARY_MISSING: RocksDB needs the system library libatomic.so.1, which is not installed: ' +
      "run 'apt-get install libatomic1'.\n",
  });
});

test('a data folder that another topology made: the sentence lists what changed', async () => {
  const dataDir = mkdtempSync(join(folder, 'topology-'));
  await runAnotherShop(dataDir);
  const { code, stdout, stderr } = await millrace(['start', '--data-dir', dataDir, '--port', '0']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^TOPOLOGY_INCOMPATIBLE: The state of 'shop' was made by another topology: .*words.*\.\n$/);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

/** A word count under the shop's application id. */
async function runAnotherShop(dataDir: string): Promise<void> {
  const builder = new StreamsBuilder({ keySerde: stringSerde, valueSerde: stringSerde });
  builder
    .stream<string, string>('lines')
    .groupByKey({ name: 'by-key' })
    .count({ name: 'count', store: 'words' })
    .toStream()
    .to('counts', { valueSerde: int64Serde });
  await using engine = await openDataFolder(dataDir);
  const commits = createGroupCommit(engine);
  await using log = await openEmbeddedLog({ engine, commits });
  const runtime = await EmbeddedRuntime.open({
    topology: builder.build(),
    applicationId: 'shop',
    engine,
    commits,
    log,
  });
  await log.produce({ topic: 'lines', partition: 0 }, [
    { key: Buffer.from('a'), value: Buffer.from('b'), timestamp: 1, headers: [] },
  ]);
  await runtime.drain();
  await runtime.stop();
}

test('a command that only reads makes no data folder', async () => {
  const dataDir = join(folder, 'none');
  expect(await millrace(['stores', '--data-dir', dataDir])).toEqual({
    code: 1,
    stdout: '',
    stderr:
      `DATA_FOLDER_UNUSABLE: There is no Millrace data in the folder ${dataDir}: 'millrace start' and 'millrace ` +
      "ingest' make it; --data-dir names the folder.\n",
  });
  expect(existsSync(dataDir)).toBe(false);
});

test('an option that nobody knows', async () => {
  expect(await millrace(['start', '--prot', '1'])).toEqual({
    code: 1,
    stdout: '',
    stderr:
      "INVALID_ARGUMENT: unknown option '--prot' (Did you mean --port?); 'millrace --help' shows what there is.\n",
  });
});
