import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const state = new URL('../../state/index.ts', import.meta.url).href;

/** What a process says that opens a data folder where the dynamic linker finds no usable libatomic. */
async function openWithoutLibatomic(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-no-libatomic-'));
  try {
    // An empty file in front of the real library: the linker refuses it as it refuses a missing one.
    await writeFile(join(folder, 'libatomic.so.1'), '');
    const script = `
      import { openDataFolder } from ${JSON.stringify(state)};
      const answer = await openDataFolder(${JSON.stringify(join(folder, 'data'))}).then(() => 'opened', (error) => error);
      console.log(answer.code + ': ' + answer.message);`;
    const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', script];
    const env = { ...process.env, LD_LIBRARY_PATH: folder };
    return await new Promise((done, fail) =>
      execFile(process.execPath, args, { env }, (error, stdout) => (error === null ? done(stdout) : fail(error))),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

const linux = process.platform === 'linux';
const reason = linux ? '' : ' [skipped: only on Linux is libatomic a library of the system]';

test.runIf(linux)(`a missing libatomic1 is one sentence that says what to install${reason}`, async () => {
  expect(await openWithoutLibatomic()).toBe(
    'NATIVE_LIBRARY_MISSING: RocksDB needs the system library libatomic.so.1, which is not installed: ' +
      "run 'apt-get install libatomic1'\n",
  );
});
