import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

/** Gives new folders, which are removed after the test. */
export function temporaryFolders(): () => string {
  const folders: string[] = [];
  // A property that shrinks a failure leaves hundreds of tables.
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  }, 120_000);
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-delta-test-'));
    folders.push(folder);
    return folder;
  };
}

/** All rows of something that gives them in batches. */
export async function allOf<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}
