import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readResumeNote, type ResumeNote, writeResumeNote } from './resume-note.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'millrace-note-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const note: ResumeNote = { dataset: 'uci', logEnds: [70, 30], files: { 'year-1.csv.br': { rows: 100, done: false } } };

test('a note is read back as long as the log is at least as long as when it was written', async () => {
  await writeResumeNote(folder, note);
  expect(await readResumeNote(folder, 'uci', [70, 30])).toEqual(note);
  expect(await readResumeNote(folder, 'uci', [75, 40])).toEqual(note);
  expect(readdirSync(folder)).toEqual(['dataset.json']);
});

test.each([
  ['a log that lost its end in a power loss', 'uci', [70, 29]],
  ['another number of partitions', 'uci', [100]],
  ['another dataset', 'shop', [70, 30]],
])('the note is not believed with %s', async (_, dataset, logEnds) => {
  await writeResumeNote(folder, note);
  expect(await readResumeNote(folder, dataset, logEnds)).toEqual({ dataset, logEnds, files: {} });
});

test.each([
  '',
  '{"dataset":"uci"',
  '[]',
  'null',
  '{"dataset":"uci","logEnds":[1,1],"files":{"a":{"rows":-1,"done":true}}}',
])('a note that says %j says nothing', async (text) => {
  writeFileSync(join(folder, 'dataset.json'), text);
  expect((await readResumeNote(folder, 'uci', [70, 30])).files).toEqual({});
});

test('without a note there is nothing to go on from', async () => {
  expect((await readResumeNote(folder, 'uci', [70, 30])).files).toEqual({});
});

test('a note that is there and cannot be read is an error, not a load from the start', async () => {
  mkdirSync(join(folder, 'dataset.json'));
  await expect(readResumeNote(folder, 'uci', [70, 30])).rejects.toMatchObject({ code: 'EISDIR' });
});
