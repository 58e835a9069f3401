import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readSettings, type Environment } from '../../cli/settings.ts';
import { readDockerfile, variablesOf } from './dockerfile.ts';

/**
 * What can be held of `docker/` without Docker: that it names only what is there. docs/docker.md says which linters have read the
 * files, and what has never been run.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const packageJson = JSON.parse(read('package.json')) as {
  readonly version: string;
  readonly bin: Record<string, string>;
  readonly scripts: Record<string, string>;
  readonly dependencies: Record<string, string>;
};
const compose = parse(read('docker/compose.yaml'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const instructions = readDockerfile(read('docker/Dockerfile'));
const texts = (name: string) => instructions.filter((each) => each.name === name).map(({ text }) => text);
const inImage = variablesOf(instructions);

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}
interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: unknown;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

describe('the Dockerfile', () => {
  it('builds from one image, pinned by its whole version, on Debian 12', () => {
    const images = texts('FROM').map((text) => text.replace(/^--platform=\S+ /, '').split(' ')[0]);
    expect(new Set(images).size).toBe(1);
    expect(images[0]).toMatch(/^node:\d+\.\d+\.\d+-bookworm-slim$/);
  });

  it('runs only scripts that package.json has', () => {
    const scripts = texts('RUN').flatMap((text) => [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!));
    expect(scripts).not.toEqual([]);
    for (const script of scripts) expect(packageJson.scripts).toHaveProperty([script]);
  });

  it('starts the millrace command, with the variables of its first line', () => {
    expect(JSON.parse(texts('ENTRYPOINT')[0]!)).toEqual(['node', packageJson.bin['millrace']]);
    const [firstLine] = read('cli/bin.mjs').split('\n');
    const wanted = Object.fromEntries(
      [...firstLine!.matchAll(/(MALLOC_\w+)=(\d+)/g)].map(([, name, to]) => [name, to]),
    );
    expect(Object.keys(wanted)).toHaveLength(3);
    expect(inImage).toMatchObject(wanted);
  });

  it('sets what the command line can be set to, and exposes that port and folder', () => {
    const { port, dataDir, host } = settingsOf(inImage);
    expect({ port: String(port), dataDir, host }).toEqual({
      port: texts('EXPOSE')[0],
      dataDir: texts('VOLUME')[0],
      host: '0.0.0.0',
    });
  });

  it('is not root, and asks a route that there is for its health', () => {
    expect(texts('USER')).toEqual(['1000:1000']);
    const route = /\}(\/[\w/]+)`/.exec(texts('HEALTHCHECK')[0]!)?.[1];
    expect(read('serving/api/health-routes.ts')).toContain(`'${route}'`);
  });

  it('has all that a build takes in, and nothing large beside it', () => {
    const ignore = read('.dockerignore').split('\n');
    const build = read('scripts/build.mjs');
    const taken = /const folders = '([^']+)'/
      .exec(build)![1]!
      .split(' ')
      .filter((name) => existsSync(join(root, name)));
    const configuration = [...build.matchAll(/'([\w.]+\.json)'/g)].map(([, name]) => name!);
    const copied = texts('COPY').flatMap((text) => (text.startsWith('--from') ? [] : text.split(' ').slice(0, -1)));
    for (const name of [...taken, ...configuration, ...copied.filter((each) => each !== '.')]) {
      expect(ignore).toContain(`!${name}`);
      expect(existsSync(join(root, name))).toBe(true);
    }
    expect(ignore).toContain('*');
    for (const name of ['node_modules', 'dist', '.git', '.data']) expect(ignore).not.toContain(`!${name}`);
  });

  it.each(['x64', 'arm64'])('has binaries of every native package for linux on %s', (cpu) => {
    expect(readdirSync(join(root, 'node_modules/rocksdb-native/prebuilds'))).toContain(`linux-${cpu}`);
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, unknown> };
    for (const name of nativePackages) {
      expect(packages).toHaveProperty([`node_modules/${name.replace('{cpu}', cpu)}`]);
    }
  });
});

describe('the compose file', () => {
  it('pins every image by a version, those that the tests run too by theirs', () => {
    for (const [, { image }] of services)
      expect(image).toMatch(/^[\w./-]+:(v?\d+\.\d+\.\d+(\.\w+)?|RELEASE\.[\dTZ-]+)$/);
    const versionIn = (pom: string, property: string) => new RegExp(`<${property}>(.+)</`).exec(read(pom))![1];
    const version = (service: string) => compose.services[service]!.image.split(':')[1];
    expect(version('kafka')).toBe(versionIn('scripts/kafka/pom.xml', 'kafka.version'));
    expect(version('registry')).toBe(versionIn('scripts/registry/pom.xml', 'apicurio.version'));
    for (const [, { image }] of instances()) expect(image).toBe(`millrace:${packageJson.version}`);
  });

  it('has two instances that differ in nothing but their address, folder and port', () => {
    const [first, second] = instances().map(([, service]) => service);
    expect(instances()).toHaveLength(2);
    const { ports, volumes, environment } = first!;
    const same = { MILLRACE_ADVERTISED_URL: environment!['MILLRACE_ADVERTISED_URL']! };
    expect({ ...second, ports, volumes, environment: { ...second!.environment, ...same } }).toEqual(first);
    expect(first!.build).toEqual({ context: '..', dockerfile: 'docker/Dockerfile' });
  });

  it('gives Millrace only settings that it has, and addresses that others listen on', () => {
    for (const [name, { environment = {} }] of instances()) {
      expect(settingsOf(environment).advertisedUrl).toBe(`http://${name}:${inImage['MILLRACE_PORT']}`);
      const kafka = compose.services['kafka']!.environment!;
      expect(String(kafka['KAFKA_ADVERTISED_LISTENERS']).split(',')).toContain(
        `PLAINTEXT://${environment['MILLRACE_KAFKA']}`,
      );
      const { hostname, port, pathname } = new URL(String(environment['MILLRACE_REGISTRY']));
      expect(containerPorts(compose.services[hostname]!)).toContain(port);
      expect(read('scripts/registry/registry.ts')).toContain(pathname);
    }
  });

  it('publishes ports on this machine only, each once, Millrace on the port that it listens on', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports);
    for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    const onHost = published.map((port) => port.split(':')[1]);
    expect(new Set(onHost).size).toBe(onHost.length);
    for (const [, service] of instances()) expect(containerPorts(service)).toEqual([inImage['MILLRACE_PORT']]);
  });

  it('waits only for services that say whether they are healthy, and mounts only what is there', () => {
    for (const [, { depends_on = {}, volumes = [] }] of services) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        expect(condition).toBe('service_healthy');
        expect(compose.services[name]).toHaveProperty('healthcheck');
      }
      for (const [source] of volumes.map((volume) => volume.split(':') as [string])) {
        if (source.startsWith('.')) expect(existsSync(join(root, 'docker', source))).toBe(true);
        else expect(compose.volumes).toHaveProperty([source]);
      }
    }
  });

  it('has Prometheus ask every instance at the route of its metrics', () => {
    const { scrape_configs } = parse(read('docker/prometheus.yaml')) as {
      scrape_configs: { metrics_path: string; static_configs: { targets: string[] }[] }[];
    };
    expect(scrape_configs.flatMap(({ static_configs }) => static_configs.flatMap(({ targets }) => targets))).toEqual(
      instances().map(([name]) => `${name}:${inImage['MILLRACE_PORT']}`),
    );
    for (const { metrics_path } of scrape_configs) {
      expect(read('serving/api/health-routes.ts')).toContain(`'${metrics_path}'`);
    }
  });
});

/** Beside rocksdb-native, which brings those of all platforms itself. */
const nativePackages = [
  '@duckdb/node-bindings-linux-{cpu}',
  '@napi-rs/snappy-linux-{cpu}-gnu',
  '@antoniomuso/lz4-napi-linux-{cpu}-gnu',
];

function instances() {
  return services.filter(([, { build }]) => build !== undefined);
}

function containerPorts({ ports = [] }: Service): string[] {
  return ports.map((port) => port.split(':').at(-1)!);
}

/** As the command reads them: a variable that it does not know, or a value that it does not take, is an error. */
function settingsOf(variables: Readonly<Record<string, string | number>>) {
  const texts = Object.entries(variables).map(([name, value]) => [name, String(value)]);
  return readSettings({}, Object.fromEntries(texts) as Environment);
}
