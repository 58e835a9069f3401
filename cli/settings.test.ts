import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readSettings } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function config(content: unknown): string {
  const path = join(folder, `config-${files++}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('precedence', () => {
  test('a flag wins over the environment, that over the file, that over the default', () => {
    const path = config({ port: 1, host: 'file', dataDir: 'file' });
    const environment = { MILLRACE_PORT: '2', MILLRACE_HOST: 'environment' };
    expect(readSettings({ port: '3', config: path }, environment)).toMatchObject({
      port: 3,
      host: 'environment',
      dataDir: 'file',
      partitions: 1,
    });
  });

  test('the environment may name the file, a flag another', () => {
    const environment = { MILLRACE_CONFIG: config({ port: 1 }) };
    expect(readSettings({}, environment).port).toBe(1);
    expect(readSettings({ config: config({ port: 2 }) }, environment).port).toBe(2);
  });

  test('a switch can be set in all three, and a flag takes it back', () => {
    expect(readSettings({}, {}).syncWrites).toBe(false);
    expect(readSettings({ config: config({ syncWrites: true }) }, {}).syncWrites).toBe(true);
    expect(readSettings({}, { MILLRACE_SYNC_WRITES: '1' }).syncWrites).toBe(true);
    expect(readSettings({ syncWrites: false }, { MILLRACE_SYNC_WRITES: 'true' }).syncWrites).toBe(false);
  });

  test('variables of others are left alone', () => {
    expect(readSettings({}, { PORT: '1', MILLRACE_TEST_DATA: '/x', MILLRACE_SEED: '7' }).port).toBe(3000);
  });
});

describe('what is not allowed names key, wanted and found', () => {
  const port = 'a whole number from 0 to 65535';
  test.each([
    [{ port: '70000' }, {}, `--port wants ${port}, found "70000"`],
    [{ port: '-1' }, {}, `--port wants ${port}, found "-1"`],
    [{ port: '80.5' }, {}, `--port wants ${port}, found "80.5"`],
    [{ port: '' }, {}, `--port wants ${port}, found ""`],
    [{}, { MILLRACE_PORT: 'http' }, `MILLRACE_PORT wants ${port}, found "http"`],
    [{}, { MILLRACE_SYNC_WRITES: 'yes' }, 'MILLRACE_SYNC_WRITES wants true or false, found "yes"'],
    [{}, { MILLRACE_DATA_DIR: '' }, 'MILLRACE_DATA_DIR wants the path of a folder, found ""'],
  ])('%j, %j', (flags, environment, message) => {
    expect(() => readSettings(flags, environment)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message }) as Error,
    );
  });

  test('an unknown variable, with those that are known', () => {
    expect(() => readSettings({}, { MILLRACE_PROT: '1' })).toThrow(
      /the environment wants one of MILLRACE_DATA_DIR, .*MILLRACE_PORT.*, found MILLRACE_PROT$/,
    );
  });

  test.each([
    [{ port: '8080' }, `'port' in FILE wants ${port}, found "8080"`],
    [{ syncWrites: 'true' }, `'syncWrites' in FILE wants true or false, found "true"`],
    [{ dataDir: 5 }, `'dataDir' in FILE wants the path of a folder, found 5`],
    [{ port: null }, `'port' in FILE wants ${port}, found null`],
    [[1], 'the configuration file FILE wants a JSON object, found [1]'],
    ['null', 'the configuration file FILE wants a JSON object, found null'],
  ])('a file with %j', (content, message) => {
    const path = config(content);
    expect(() => readSettings({ config: path }, {})).toThrow(message.replace('FILE', path));
  });

  test('a key of the file that nobody knows, also one that every object has', () => {
    expect(() => readSettings({ config: config({ prot: 1 }) }, {})).toThrow(/wants the keys dataDir, .* found 'prot'$/);
    expect(() => readSettings({ config: config('{"constructor": 1}') }, {})).toThrow(/found 'constructor'$/);
  });

  test('a file that is no JSON, or not there', () => {
    expect(() => readSettings({ config: config('{port: 1}') }, {})).toThrow(/config-\d+\.json wants a JSON object: /);
    expect(() => readSettings({ config: join(folder, 'none') }, {})).toThrow(/none wants a JSON object: ENOENT/);
  });
});
