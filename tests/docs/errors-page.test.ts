import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCodes } from '../../schemas/errors.ts';

test('docs/errors.md has one row for every error code, and none for a code that does not exist', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` +\| (.+) \| (.+) \|$/gm)].flatMap(([, code]) => code ?? []);
  expect(rows.toSorted()).toEqual([...errorCodes].toSorted());
});
