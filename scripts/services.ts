/**
 * `npm run services`: what Millrace needs beside it to run distributed, on this machine, until Ctrl-C: an Apache Kafka cluster
 * (scripts/kafka) and a schema registry (scripts/registry). Needs Java 17 and, the first time, Maven.
 *
 *     --brokers N          1, or 3: one of them may be killed, and everything goes on
 *     --kafka-port N       the first broker's port, the next ones follow; default: free ones
 *     --registry-port N    default: a free one
 *     --data-dir FOLDER    kept: topics and schemas are there again the next time; default: a temporary one, removed
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startKafkaCluster } from './kafka/cluster.ts';
import { startRegistry } from './registry/registry.ts';

const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '1' },
    'kafka-port': { type: 'string' },
    'registry-port': { type: 'string' },
    'data-dir': { type: 'string' },
  },
});
const brokers = wholeNumber('--brokers', values.brokers, 9)!;
const kafkaPort = wholeNumber('--kafka-port', values['kafka-port'], 65_535);
const registryPort = wholeNumber('--registry-port', values['registry-port'], 65_535);
const folder = values['data-dir'] === undefined ? undefined : resolve(values['data-dir']);

// Before anything is started, so that Ctrl-C ends what a start has begun.
const stopped = new Promise<void>((stop) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop());
});
print(`Starting ${brokers} Kafka broker(s) and a schema registry; the first time Maven fetches both.`);
if (folder !== undefined) await mkdir(join(folder, 'registry'), { recursive: true });

await using kafka = await startKafkaCluster({
  brokers,
  ...(kafkaPort !== undefined && { port: kafkaPort }),
  ...(folder !== undefined && { folder: join(folder, 'kafka') }),
});
await using registry = await startRegistry({
  ...(registryPort !== undefined && { port: registryPort }),
  ...(folder !== undefined && { folder: join(folder, 'registry') }),
});
const bootstrap = kafka.addresses.join(',');
print('');
print(`Kafka ${kafka.version}: ${bootstrap} (process ${kafka.nodes.map(({ pid }) => pid).join(', ')})`);
print(`Apicurio Registry ${registry.version}: ${registry.url} (process ${registry.pid})`);
print(`What they print: ${[...kafka.nodes, registry].map(({ logFile }) => logFile).join(' ')}`);
print('');
print(`  npm run millrace -- start --kafka ${bootstrap} --registry ${registry.url}`);
print('');
print('Ctrl-C stops both.');
// A promise keeps no process alive.
const awake = setInterval(() => undefined, 60_000);
await stopped;
clearInterval(awake);
print('Stopping.');

function wholeNumber(flag: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= max) return number;
  console.error(`${flag} wants a whole number from 1 to ${max}, found '${text}'`);
  process.exit(2);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
