import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

/**
 * A newcomer's walk through README.md: a copy of the repository with nothing installed, every command of its `sh` and
 * `console` blocks as it stands there, in the order of the page, and what is printed beside what the page says. Only the
 * port is another, and `npm test` is left to whoever runs this.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
let clone: string;
let port: number;

interface Step {
  readonly command: string;
  /** What the page prints under it. */
  readonly output: string;
}

/** Starts that go on until they are stopped, and what follows each on the page. */
interface Stay {
  readonly start: string;
  readonly meanwhile: readonly Step[];
  readonly after: readonly Step[];
}

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text!);
}

function stepsIn(block: string): Step[] {
  return [...block.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)].map(([, command, output]) => ({
    command: command!,
    output: output!.trimEnd(),
  }));
}

function theStays(): Stay[] {
  const [start, amazon, tests, ...others] = blocks('sh').map((text) => text.trim());
  const [meanwhile, after, ...more] = blocks('console').map(stepsIn);
  // A block that is added to the page belongs into the walk.
  expect([tests, others, more]).toEqual(['npm test', [], []]);
  return [
    { start: start!, meanwhile: meanwhile!, after: after! },
    { start: amazon!, meanwhile: [], after: [] },
  ];
}

beforeAll(async () => {
  clone = mkdtempSync(join(tmpdir(), 'millrace-readme-'));
  const files = execFileSync('git', ['ls-files', '-z', '--cached'], { cwd: root, encoding: 'utf8' });
  for (const file of files.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(root, file), join(clone, file));
  }
  port = await freePort();
});

afterAll(() => rmSync(clone, { recursive: true, force: true }));

test.each(theStays())('$start', async ({ start, meanwhile, after }) => {
  const run = new Run(start);
  try {
    await run.printed(/Ctrl-C stops/);
    const shown = [...run.output.matchAll(/^\$ (.*)\n(.*)$/gm)].map(
      ([, command, answer]) => [command!, answer!] as const,
    );
    expect(shown.length).toBeGreaterThanOrEqual(3);
    for (const [command, printed] of shown) {
      const { asOf: _, ...answer } = JSON.parse(await shell(command)) as Record<string, unknown>;
      // The generated shop's figures go on changing.
      if (start === 'npm start') expect(answer).toEqual(JSON.parse(printed));
      else expect(Object.keys(answer)).toEqual(Object.keys(JSON.parse(printed) as object));
    }
    const [, page] = /(http:\S+)\/ +the page/.exec(run.output)!;
    for (const path of ['/', '/docs']) expect((await fetch(page + path)).status).toBe(200);
    for (const step of meanwhile) await take(step);
  } finally {
    await run.stop();
  }
  for (const step of after) await take(step);
});

test('the command line says what it can do', async () => {
  const [, command] = /`(npm run millrace -- --help)`/.exec(readme)!;
  expect(await shell(command!)).toContain('Usage: millrace');
});

/** A look-up may be a moment ahead of what was sent before it; what changes something is done once. */
async function take({ command, output }: Step): Promise<void> {
  const run = (): Promise<string> => shell(here(command));
  if (/ -[dX] | verify/.test(command)) expect(await run()).toMatch(asPattern(output));
  else await expect.poll(run, { timeout: 10_000 }).toMatch(asPattern(output));
}

/** As the page spells it, on the port of this walk. */
function here(command: string): string {
  return command.replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`);
}

function asPattern(output: string): RegExp {
  return new RegExp(`^${output.split('…').map(escaped).join('[^]*')}\\s*$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

async function shell(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', command], {
    cwd: clone,
    env: environment(),
    maxBuffer: 1e8,
  });
  return stdout;
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, MILLRACE_PORT: `${port}` };
}

/** A command in a process group of its own, which is what Ctrl-C goes to. */
class Run {
  output = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #heard: () => void = () => undefined;

  constructor(command: string) {
    this.#child = spawn('sh', ['-c', command], { cwd: clone, env: environment(), detached: true, stdio: 'pipe' });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#heard();
      });
    }
    this.#ended = new Promise((resolve) => this.#child.on('close', resolve));
    void this.#ended.then(() => this.#heard());
  }

  async printed(...patterns: readonly RegExp[]): Promise<void> {
    while (!patterns.every((pattern) => pattern.test(this.output))) {
      if (this.#child.exitCode !== null) throw new Error(`It ended before ${patterns.join(', ')}:\n${this.output}`);
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) process.kill(-this.#child.pid!, 'SIGINT');
    await this.#ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}
