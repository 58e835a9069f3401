import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { bytes, collect, text } from './conformance/engine-conformance.ts';
import { temporaryFolders } from './conformance/temporary-folder.ts';
import { dataFolderFormat, noteOwner, openDataFolder, readOwner } from './data-folder.ts';

const newFolder = temporaryFolders();
const holder = fileURLToPath(new URL('conformance/hold-data-folder.ts', import.meta.url));

describe('data folder', () => {
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child);
  });

  /** Another process that opens the folder; resolves when it has printed `until`. */
  const hold = async (folder: string, mode: string, until: (line: string) => boolean): Promise<readonly string[]> => {
    const child = spawn(process.execPath, ['--import', 'tsx', holder, folder, mode], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines: string[] = [];
    await new Promise<void>((resolve, reject) => {
      let rest = '';
      child.on('exit', () => reject(new Error('The holder ended')));
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        lines.push(...parts);
        if (parts.some(until)) resolve();
      });
    });
    return lines;
  };

  it('names the process that has it open, and its address', async () => {
    const folder = newFolder();
    await hold(folder, '', (line) => line === 'open');
    const pid = children[0]?.pid ?? 0;
    await expect(openDataFolder(folder)).rejects.toMatchObject({
      code: 'DATA_FOLDER_IN_USE',
      message: `The data folder ${folder} is in use by process ${pid}: stop it, or choose another folder`,
      facts: { folder, pid },
    });
    writeFileSync(join(folder, 'owner.json'), JSON.stringify({ pid, url: 'http://127.0.0.1:8080' }));
    await expect(openDataFolder(folder)).rejects.toThrow(`in use by process ${pid} (http://127.0.0.1:8080): stop it`);
    writeFileSync(join(folder, 'owner.json'), '{"pid":');
    await expect(openDataFolder(folder)).rejects.toThrow('in use by another process: stop it');
  });

  it('can be opened again after its owner was killed', async () => {
    const folder = newFolder();
    await hold(folder, '', (line) => line === 'open');
    for (const child of children.splice(0)) await kill(child);
    expect(await readOwner(folder)).toBeDefined();
    await (await openDataFolder(folder))[Symbol.asyncDispose]();
  });

  it('has every acknowledged batch, whole, after its owner was killed in the middle of writing', async () => {
    const folder = newFolder();
    let acknowledged = 0;
    for (const least of [100, 400, 900]) {
      const lines = await hold(folder, 'write', (line) => Number(line) >= least);
      for (const child of children.splice(0)) await kill(child);
      acknowledged = Math.max(acknowledged, ...lines.filter((line) => line !== 'open').map(Number));
      const engine = await openDataFolder(folder, { readOnly: true });
      const rowsOf = async (family: 'log' | 'state' | 'meta') =>
        (await collect(engine.range(family, { gte: bytes('n'), lt: bytes('o') }))).map((row) => [
          text(row.key),
          row.value[0],
        ]);
      const log = await rowsOf('log');
      expect(log.length).toBeGreaterThan(acknowledged);
      expect(log).toEqual(log.map((_, n) => [`n${String(n).padStart(8, '0')}`, n % 256]));
      expect(await rowsOf('state')).toEqual(log);
      expect(await rowsOf('meta')).toEqual(log);
      await engine[Symbol.asyncDispose]();
    }
  });

  it('refuses to open twice in one process', async () => {
    const folder = newFolder();
    const engine = await openDataFolder(folder);
    await expect(openDataFolder(folder)).rejects.toMatchObject({
      code: 'DATA_FOLDER_IN_USE',
      facts: { pid: process.pid },
    });
    await engine[Symbol.asyncDispose]();
    await (await openDataFolder(folder))[Symbol.asyncDispose]();
  });

  it('says who owns it while it is open, and not afterwards', async () => {
    const folder = newFolder();
    const engine = await openDataFolder(folder);
    expect(await readOwner(folder)).toEqual({ pid: process.pid });
    await noteOwner(folder, { url: 'http://127.0.0.1:1' });
    expect(await readOwner(folder)).toEqual({ pid: process.pid, url: 'http://127.0.0.1:1' });
    await engine[Symbol.asyncDispose]();
    expect(await readOwner(folder)).toBeUndefined();
  });

  it('refuses a newer format and names both numbers, before it touches the database', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'format.json'), '{"format":7}');
    await expect(openDataFolder(folder)).rejects.toMatchObject({
      code: 'DATA_FOLDER_NEWER',
      message: expect.stringContaining('has format 7, and this program knows formats up to 5') as string,
      facts: { folder, found: 7, known: 5 },
    });
    expect(existsSync(join(folder, 'db'))).toBe(false);
  });

  it('takes an older format through its steps in order, and says so when each is durable', async () => {
    const folder = newFolder();
    await (await openDataFolder(folder))[Symbol.asyncDispose]();
    const path = join(folder, 'format.json');
    writeFileSync(path, '{"format":1}');
    await expect(openDataFolder(folder, { readOnly: true })).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
    const failing = { from: 1, what: 'fails', run: () => Promise.reject(new Error('the step broke')) };
    await expect(openDataFolder(folder, { migrations: [failing] })).rejects.toThrow('the step broke');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ format: 1 });
    const heard: unknown[] = [];
    const ran: unknown[] = [];
    const step = {
      from: 1,
      what: 'rows are renamed',
      run: () => Promise.resolve(void ran.push(readFileSync(path, 'utf8'))),
    };
    const engine = await openDataFolder(folder, { migrations: [step], onMigrated: (migrated) => heard.push(migrated) });
    await engine[Symbol.asyncDispose]();
    expect(ran).toEqual(['{"format":1}']);
    expect(heard).toEqual([
      { from: 1, to: 2, what: 'rows are renamed' },
      { from: 2, to: 3, what: 'nothing stored has changed' },
      { from: 3, to: 4, what: 'nothing stored has changed' },
      { from: 4, to: 5, what: 'nothing stored has changed' },
    ]);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ format: dataFolderFormat });
  });

  it('notes its format when it is created', async () => {
    const folder = join(newFolder(), 'new', 'folder');
    await (await openDataFolder(folder))[Symbol.asyncDispose]();
    expect(JSON.parse(readFileSync(join(folder, 'format.json'), 'utf8'))).toEqual({ format: dataFolderFormat });
  });

  it('refuses a database without a format, or with one that is no number', async () => {
    const folder = newFolder();
    await (await openDataFolder(folder))[Symbol.asyncDispose]();
    for (const format of ['', '{}', '{"format":"1"}', '[1]']) {
      writeFileSync(join(folder, 'format.json'), format);
      await expect(openDataFolder(folder)).rejects.toMatchObject({ code: 'DATA_FOLDER_CORRUPT' });
    }
    const other = newFolder();
    mkdirSync(join(other, 'db'));
    writeFileSync(join(other, 'db', 'CURRENT'), 'MANIFEST-000001\n');
    await expect(openDataFolder(other)).rejects.toThrow(/no format.json naming format 5/);
  });

  it('says that a database is corrupt', async () => {
    const folder = newFolder();
    await (await openDataFolder(folder))[Symbol.asyncDispose]();
    writeFileSync(join(folder, 'db', 'CURRENT'), 'nonsense');
    await expect(openDataFolder(folder)).rejects.toMatchObject({ code: 'DATA_FOLDER_CORRUPT' });
  });

  it('says that a folder cannot be made where a file stands', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    await expect(openDataFolder(join(file, 'data'))).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
  });

  it('creates nothing when opened to read only', async () => {
    const folder = newFolder();
    await expect(openDataFolder(folder, { readOnly: true })).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
    expect(existsSync(join(folder, 'format.json'))).toBe(false);
  });

  it('says to install libatomic1 where it is missing', async () => {
    const linker = new Error('libatomic.so.1: cannot open shared object file: No such file or directory');
    const loadBinding = () => {
      throw new Error("Cannot load addon 'file:///x/rocksdb-native.node'", { cause: linker });
    };
    await expect(openDataFolder(newFolder(), { loadBinding })).rejects.toMatchObject({
      code: 'NATIVE_LIBRARY_MISSING',
      message:
        "RocksDB needs the system library libatomic.so.1, which is not installed: run 'apt-get install libatomic1'",
    });
  });

  it.each([
    [
      'libstdc++.so.6: cannot open shared object file: No such file or directory',
      /needs the system library libstdc\+\+\.so\.6: install it/,
    ],
    ["Cannot find module 'rocksdb-native'\nRequire stack: …", /run 'npm install' on this machine/],
    ["Cannot find addon '.' imported from 'file:///x'", /linux, macOS or Windows, x64 or arm64/],
  ])('says what to do when the library does not load: %s', async (reason, advice) => {
    const loadBinding = () => {
      throw new Error(reason);
    };
    const opening = openDataFolder(newFolder(), { loadBinding });
    await expect(opening).rejects.toMatchObject({ code: 'NATIVE_LIBRARY_MISSING' });
    await expect(opening).rejects.toThrow(advice);
  });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
