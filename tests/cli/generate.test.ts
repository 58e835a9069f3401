import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { isInvalidField, validateInteraction } from '../../schemas/index.ts';
import { millrace } from '../startup/millrace-process.ts';

vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'millrace-generate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('generate writes the events asked for as NDJSON, the same to a file as to standard output', async () => {
  const out = join(folder, 'events.ndjson');
  const flags = ['generate', '--users', '100', '--events', '2500', '--seed', '9', '--days', '2'];
  const { code, stdout } = await millrace(flags);
  expect(code).toBe(0);
  expect((await millrace([...flags, '--out', out])).code).toBe(0);
  expect(readFileSync(out, 'utf8')).toBe(stdout);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(2500);
  for (const line of lines) {
    const event: unknown = JSON.parse(line);
    expect(isInvalidField(validateInteraction(event, Date.UTC(2025, 0, 4)))).toBe(false);
  }
});

test.each([
  [['--users', '0'], '--users'],
  [['--days', 'x'], '--days'],
  [['--catalogue', join(folder, 'none.csv')], 'no such file'],
  [['--out', join(folder, 'no', 'folder')], '--out wants a file to write'],
])('generate %j is refused in a sentence', async (flags, said) => {
  const { code, stderr } = await millrace(['generate', '--events', '10', ...flags]);
  expect([code, stderr]).toEqual([1, expect.stringContaining(said)]);
});
