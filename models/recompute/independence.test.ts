import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('.', import.meta.url));

test('of ours, the recomputation imports its own files and the schemas, nothing else', () => {
  const outside = readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [...readFileSync(`${folder}${name}`, 'utf8').matchAll(/(?:from|import\() ?'(\.[^']+)'/g)])
    .map(([, path]) => path!)
    .filter((path) => !/^\.\/[^/]+$/.test(path));
  expect(new Set(outside)).toEqual(new Set(['../../schemas/index.ts']));
});
