import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cacheFolder, endByPid, fromMaven, propertyOf } from '../java-server.ts';

/**
 * A real Apache Kafka broker for a test run: one KRaft node, broker and controller in one process, on free ports of
 * 127.0.0.1, in a folder of its own that goes with it. Needs Java 17 and, the first time, Maven, which copies the
 * jars that pom.xml names into `~/.cache/millrace/kafka-<version>` (or `MILLRACE_KAFKA_JARS`).
 */
export interface KafkaBroker extends AsyncDisposable {
  /** `127.0.0.1:port`, for a client's `brokers`. */
  readonly address: string;
  readonly version: string;
  readonly pid: number;
  /** What the broker printed. */
  readonly logFile: string;
  /** Kafka's jars, for a Java client. */
  readonly classpath: string;
  /** Of a broker that was started with `secure`: what a client has to bring. */
  readonly access: KafkaAccess | undefined;
  /** Kills it, and starts it again over the same folder at the same port. */
  restart(): Promise<void>;
}

export interface KafkaAccess {
  readonly ssl: { readonly ca: string };
  readonly sasl: { readonly mechanism: 'scram-sha-512'; readonly username: string; readonly password: string };
}

export interface KafkaSettings {
  /** Clients come over TLS, with a user name and a password (SCRAM). */
  readonly secure?: boolean;
  /** Of server.properties. */
  readonly overrides?: Readonly<Record<string, string>>;
}

const pom = join(import.meta.dirname, 'pom.xml');

export async function startKafka({ secure = false, overrides = {} }: KafkaSettings = {}): Promise<KafkaBroker> {
  const version = await propertyOf(pom, 'kafka.version');
  const jars = process.env['MILLRACE_KAFKA_JARS'] ?? cacheFolder(`kafka-${version}`);
  await fromMaven({ pom, goal: 'copy-dependencies', folder: jars, holds: `kafka_2.13-${version}.jar` });
  const classpath = join(jars, '*');
  const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-'));
  const ports = (await freePorts(3)) as [number, number, number];
  const port = ports[0];
  const config = join(folder, 'server.properties');
  const security = secure ? await secured(folder, ports) : undefined;
  await writeFile(config, properties({ ...settings(folder, ports), ...security?.settings, ...overrides }));
  const logFile = join(folder, 'broker.log');

  await promisify(execFile)('java', [
    ...['-Xmx256m', '-cp', classpath, 'kafka.tools.StorageTool', 'format'],
    ...['--cluster-id', clusterId(), '--config', config, ...(security?.format ?? [])],
  ]);
  let child = await launch();
  return {
    address: `127.0.0.1:${port}`,
    version,
    get pid() {
      return child.pid as number;
    },
    logFile,
    classpath,
    access: security?.access,
    async restart() {
      await endByPid(child, 'SIGKILL');
      child = await launch();
    },
    async [Symbol.asyncDispose]() {
      await endByPid(child, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };

  async function launch(): Promise<ChildProcess> {
    const launched = spawn('java', ['-Xms256m', '-Xmx512m', '-cp', classpath, 'kafka.Kafka', config], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(logFile);
    await once(log, 'open');
    launched.stdout.pipe(log);
    launched.stderr.pipe(log);
    try {
      await ready(launched, port, logFile);
    } catch (error) {
      await endByPid(launched, 'SIGKILL');
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return launched;
  }
}

function settings(folder: string, [port, controllerPort]: readonly [number, number, number]): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    // One node holds everything.
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // What a test must not wait for, and must not get by surprise.
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    'log.retention.check.interval.ms': '1000',
  };
}

/** A certificate for 127.0.0.1 that is its own CA, and one user. Brokers talk to themselves over a port without either. */
async function secured(folder: string, [port, controllerPort, ownPort]: readonly [number, number, number]) {
  const keystore = join(folder, 'broker.p12');
  const certificate = join(folder, 'broker.pem');
  const password = randomBytes(12).toString('hex');
  const store = ['-alias', 'broker', '-keystore', keystore, '-storepass', password];
  const keytool = (...args: string[]) => promisify(execFile)('keytool', args);
  await keytool(
    ...['-genkeypair', ...store, '-storetype', 'PKCS12', '-keyalg', 'RSA', '-keysize', '2048', '-validity', '2'],
    ...['-dname', 'CN=127.0.0.1', '-ext', 'SAN=IP:127.0.0.1'],
  );
  await keytool('-exportcert', '-rfc', ...store, '-file', certificate);
  const sasl = { mechanism: 'scram-sha-512', username: 'millrace', password } as const;
  const login = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  return {
    access: { ssl: { ca: await readFile(certificate, 'utf8') }, sasl } satisfies KafkaAccess,
    format: ['--add-scram', `SCRAM-SHA-512=[name=${sasl.username},password=${password}]`],
    settings: {
      listeners: `SASL_SSL://127.0.0.1:${port},OWN://127.0.0.1:${ownPort},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': `SASL_SSL://127.0.0.1:${port},OWN://127.0.0.1:${ownPort}`,
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,OWN:PLAINTEXT,SASL_SSL:SASL_SSL',
      'inter.broker.listener.name': 'OWN',
      'ssl.keystore.location': keystore,
      'ssl.keystore.password': password,
      'ssl.keystore.type': 'PKCS12',
      'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': login,
    },
  };
}

async function ready(child: ChildProcess, port: number, logFile: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(200)) {
    const output = await readFile(logFile, 'utf8');
    if (child.exitCode !== null) throw new Error(`Kafka ended with code ${child.exitCode}:\n${output.slice(-2000)}`);
    if (output.includes('Kafka Server started') && (await accepts(port))) return;
  }
  throw new Error(`Kafka did not start within 60 s; see ${logFile}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
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
