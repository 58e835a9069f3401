import { execFile, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What a pom.xml names, fetched once with Maven. */
export interface MavenFolder {
  readonly pom: string;
  /** Of the dependency plugin. */
  readonly goal: 'copy-dependencies' | 'unpack-dependencies';
  readonly folder: string;
  /** A file of the folder: where it is, nothing is fetched. */
  readonly holds: string;
}

/** Fills the folder, beside it first and then renamed, so that one that was cut off is never taken for whole. */
export async function fromMaven({ pom, goal, folder, holds }: MavenFolder): Promise<void> {
  const found = join(folder, holds);
  if (existsSync(found)) return;
  await mkdir(join(folder, '..'), { recursive: true });
  const copy = await mkdtemp(`${folder}-`);
  const plugin = `org.apache.maven.plugins:maven-dependency-plugin:3.6.1:${goal}`;
  const into = [`-DoutputDirectory=${copy}`, `-DmarkersDirectory=${join(copy, '.markers')}`];
  await promisify(execFile)('mvn', ['-q', '-B', '-f', pom, plugin, ...into]);
  try {
    await rename(copy, folder);
  } catch (error) {
    await rm(copy, { recursive: true });
    // Another run was first, and its folder is as good.
    if (!existsSync(found)) throw error;
  }
}

/** Where what was fetched once is kept. */
export function cacheFolder(name: string): string {
  return join(homedir(), '.cache', 'millrace', name);
}

/** A property of a pom.xml, `kafka.version`: versions stand there only. */
export async function propertyOf(pom: string, name: string): Promise<string> {
  const value = new RegExp(`<${name}>([^<]+)</`).exec(await readFile(pom, 'utf8'))?.[1];
  if (value === undefined) throw new Error(`${pom} names no ${name}`);
  return value;
}

/** Ends a server, by force when it has not within 20 s. Resolves when it has ended. */
export async function endByPid(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const killer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(killer);
}
