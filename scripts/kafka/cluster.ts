import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, fromMaven, propertyOf } from '../java-server.ts';
import { freePorts } from '../ports.ts';
import { securedAccess, type KafkaAccess } from './access.ts';
import { KafkaNode } from './node.ts';
import { nodeSettings, type NodePorts } from './node-settings.ts';

/**
 * A real Apache Kafka cluster (KRaft, each node broker and controller) on 127.0.0.1. Needs Java 17 and, the first time, Maven,
 * which copies the jars that pom.xml names into `~/.cache/millrace/kafka-<version>` (or `MILLRACE_KAFKA_JARS`).
 */
export interface KafkaCluster extends AsyncDisposable {
  readonly nodes: readonly KafkaNode[];
  /** `host:port` of each, for a client's list of brokers. */
  readonly addresses: readonly string[];
  readonly version: string;
  /** Kafka's jars, for a Java client. */
  readonly classpath: string;
  /** Of a cluster that was started with `secure`: what a client has to bring. */
  readonly access: KafkaAccess | undefined;
}

export interface KafkaClusterSettings {
  /** Default 1. Of three, one may be lost: topics have three replicas, and two of them have to have what is acknowledged. */
  readonly brokers?: number;
  /** The first broker's port, the next ones follow. Default: free ones. */
  readonly port?: number;
  /** Kept, and used again by the next start with as many brokers. Default: one of its own that goes with the cluster. */
  readonly folder?: string;
  /** Clients come over TLS, with a user name and a password (SCRAM). Only without `folder`: both are made anew. */
  readonly secure?: boolean;
  /** Of server.properties. */
  readonly overrides?: Readonly<Record<string, string>>;
}

const pom = join(import.meta.dirname, 'pom.xml');

export async function startKafkaCluster(settings: KafkaClusterSettings = {}): Promise<KafkaCluster> {
  const { brokers = 1, port, secure = false, overrides = {} } = settings;
  const version = await propertyOf(pom, 'kafka.version');
  const jars = process.env['MILLRACE_KAFKA_JARS'] ?? cacheFolder(`kafka-${version}`);
  await fromMaven({ pom, goal: 'copy-dependencies', folder: jars, holds: `kafka_2.13-${version}.jar` });
  const classpath = join(jars, '*');

  const folder = settings.folder ?? (await mkdtemp(join(tmpdir(), 'millrace-kafka-')));
  if (settings.folder !== undefined) await checkKept(folder, brokers);
  const ports = await portsOf(brokers, port);
  const secured = secure ? await securedAccess(folder) : undefined;
  const cluster = clusterId();
  const nodes = await Promise.all(
    ports.map(async ({ client }, at) => {
      const id = at + 1;
      const own = join(folder, `broker-${id}`);
      await mkdir(own, { recursive: true });
      const config = join(own, 'server.properties');
      const all = { ...nodeSettings(own, id, ports), ...secured?.settingsOf(ports[at]!), ...overrides };
      await writeFile(config, properties(all));
      if (!existsSync(join(own, 'data', 'meta.properties'))) {
        await format(classpath, ['--cluster-id', cluster, '--config', config, ...(secured?.format ?? [])]);
      }
      return new KafkaNode({ id, port: client, classpath, config, logFile: join(own, 'broker.log') });
    }),
  );
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await Promise.all(nodes.map((node) => node.stop('SIGKILL')));
    if (settings.folder === undefined) await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    nodes,
    addresses: nodes.map(({ address }) => address),
    version,
    classpath,
    access: secured?.access,
    async [Symbol.asyncDispose]() {
      if (settings.folder === undefined) {
        // Nothing that it could still write is ever read.
        await Promise.all(nodes.map((node) => node.stop('SIGKILL')));
        await rm(folder, { recursive: true, force: true });
      } else {
        await Promise.all(nodes.map((node) => node.stop('SIGTERM')));
      }
    },
  };
}

/** A cluster's nodes know each other: another number of them is another cluster. */
async function checkKept(folder: string, brokers: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const kept = (await readdir(folder)).filter((name) => /^broker-\d+$/.test(name)).length;
  if (kept === 0 || kept === brokers) return;
  throw new Error(`${folder} holds a cluster of ${kept} broker(s), ${brokers} were asked for`);
}

async function portsOf(brokers: number, first: number | undefined): Promise<NodePorts[]> {
  const free = await freePorts(brokers * 3);
  return Array.from({ length: brokers }, (_, at) => ({
    client: first === undefined ? free[at * 3]! : first + at,
    controller: free[at * 3 + 1]!,
    own: free[at * 3 + 2]!,
  }));
}

async function format(classpath: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)('java', ['-Xmx256m', '-cp', classpath, 'kafka.tools.StorageTool', 'format', ...args]);
}

/** As Kafka prints UUIDs; one that begins with `-` would be taken for an option. */
function clusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? clusterId() : id;
}

function properties(of: Readonly<Record<string, string>>): string {
  return Object.entries(of)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
