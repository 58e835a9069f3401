import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder, fromMaven, propertyOf, endByPid } from '../java-server.ts';

/**
 * A real schema registry: Apicurio Registry, which speaks Confluent's REST API, on 127.0.0.1 (docs/decisions/006 says why this one). Needs Java 17 and, the first time, Maven, which unpacks the
 * archive that pom.xml names into `~/.cache/millrace/apicurio-<version>` (or `MILLRACE_REGISTRY_FOLDER`): 140 MB.
 */
export interface SchemaRegistryServer extends AsyncDisposable {
  /** Of Confluent's API, `http://127.0.0.1:port/apis/ccompat/v7`: what a client takes as the registry's address. */
  readonly url: string;
  readonly version: string;
  readonly pid: number;
  /** What the server printed. */
  readonly logFile: string;
  /** The server's libraries, Avro and Jackson among them, for a Java client. */
  readonly classpath: string;
}

export interface RegistrySettings {
  /** Default: a free one. */
  readonly port?: number;
  /** Where schemas are kept, and found again by the next start. Default: in memory. */
  readonly folder?: string;
}

const pom = join(import.meta.dirname, 'pom.xml');

export async function startRegistry(settings: RegistrySettings = {}): Promise<SchemaRegistryServer> {
  const version = await propertyOf(pom, 'apicurio.version');
  const jar = `apicurio-registry-app-${version}-runner.jar`;
  const programs = process.env['MILLRACE_REGISTRY_FOLDER'] ?? cacheFolder(`apicurio-${version}`);
  await fromMaven({ pom, goal: 'unpack-dependencies', folder: programs, holds: jar });

  const folder = await mkdtemp(join(tmpdir(), 'millrace-registry-'));
  const logFile = join(folder, 'registry.log');
  const properties = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': String(settings.port ?? 0),
    'java.io.tmpdir': folder,
    ...(settings.folder !== undefined && {
      REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${join(settings.folder, 'schemas')}`,
    }),
  };
  const child = spawn(
    'java',
    ['-Xmx256m', ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`), '-jar', jar],
    { cwd: programs, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const log = createWriteStream(logFile);
  await once(log, 'open');
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const stop = async (): Promise<void> => {
    await endByPid(child, 'SIGTERM');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const url = `${await listening(child, logFile)}/apis/ccompat/v7`;
    await setDefaultRule(url);
    const classpath = join(programs, 'lib', '*');
    return { url, version, pid: child.pid as number, logFile, classpath, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address that the server prints once it takes requests. */
async function listening(child: ChildProcess, logFile: string): Promise<string> {
  for (const deadline = Date.now() + 90_000; Date.now() < deadline; await sleep(200)) {
    const output = await readFile(logFile, 'utf8');
    if (child.exitCode !== null) {
      throw new Error(`The registry ended with code ${child.exitCode}:\n${output.slice(-2000)}`);
    }
    const address = /Listening on: (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error(`The registry did not start within 90 s; see ${logFile}`);
}

/** Apicurio's own default is NONE; Confluent's is BACKWARD. */
async function setDefaultRule(url: string): Promise<void> {
  const answer = await fetch(`${url}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ compatibility: 'BACKWARD' }),
  });
  if (!answer.ok) throw new Error(`The registry refused the default rule: ${answer.status} ${await answer.text()}`);
}
