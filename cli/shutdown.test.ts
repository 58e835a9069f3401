import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';

const shutdown = new URL('./shutdown.ts', import.meta.url).href;

/** A process that ends when its work does, but the work takes for ever. */
function stubborn(deadlineMs: number) {
  const script = `
    import { Shutdown } from ${JSON.stringify(shutdown)};
    const shutdown = new Shutdown(${deadlineMs});
    setInterval(() => undefined, 1000);
    console.log('up');
    await shutdown.wait();
    console.log('stopping');`;
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', script];
  const child = spawn(process.execPath, args, { stdio: 'pipe' });
  let output = '';
  let onOutput: () => void = () => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      onOutput();
    });
  }
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, output }));
  });
  const until = async (text: string): Promise<void> => {
    while (!output.includes(text)) await new Promise<void>((resolve) => (onOutput = resolve));
  };
  return { child, ended, until };
}

test('a stop that takes longer than its deadline is broken off with exit code 1, saying so', async () => {
  const { child, ended, until } = stubborn(200);
  await until('up');
  child.kill('SIGTERM');
  expect(await ended).toEqual({
    code: 1,
    output:
      'up\nstopping\nStopping took longer than 200 ms and was broken off; the next start goes on from the last commit.\n',
  });
});

test.each([
  ['SIGINT', 'SIGINT'],
  ['SIGTERM', 'SIGINT'],
] as const)('%s, then %s: the second ends the process at once', async (first, second) => {
  const { child, ended, until } = stubborn(600_000);
  await until('up');
  child.kill(first);
  await until('stopping');
  child.kill(second);
  expect(await ended).toEqual({ code: 130, output: 'up\nstopping\n' });
});
