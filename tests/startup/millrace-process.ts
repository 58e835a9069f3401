import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const startScript = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url));

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The `millrace` command in a process of its own: from the sources, or what `npm start` runs, built first. */
export class MillraceProcess implements AsyncDisposable {
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  #onOutput: () => void = () => undefined;

  static npmStart(args: readonly string[]): MillraceProcess {
    return new MillraceProcess(args, {}, [startScript]);
  }

  constructor(
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
    script: readonly string[] = ['--import', import.meta.resolve('tsx'), main],
  ) {
    const command = [...script, ...args];
    const child = spawn(process.execPath, command, { env: { ...process.env, ...environment }, stdio: 'pipe' });
    this.#child = child;
    // A test that ran out of time never comes to dispose of it.
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#onOutput();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#onOutput();
    });
    this.ended = new Promise((resolve) => {
      child.on('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Waits until what it has printed matches, on either stream; fails when it ends before. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    let gone: Ended | undefined;
    void this.ended.then((ended) => {
      gone = ended;
      this.#onOutput();
    });
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (match !== null) return match;
      if (gone !== undefined)
        throw new Error(`Ended with ${gone.code} before ${pattern}: ${gone.stderr}${gone.stdout}`);
      await new Promise<void>((resolve) => (this.#onOutput = resolve));
    }
  }

  /** Of the server, once it listens. */
  async url(): Promise<string> {
    return (await this.until(/Millrace serves .* at (http:\S+)/))[1]!;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async stop(): Promise<Ended> {
    this.signal('SIGTERM');
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}

/** Runs a command to its end. */
export async function millrace(args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Ended> {
  return await new MillraceProcess(args, environment).ended;
}
