import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { coreTables } from './compared-tables.ts';
import type { Peer } from './peer.ts';

const project = join(import.meta.dirname, '../peers/java');

/** The Java Kafka Streams program of bench/peers/java, built by Maven into a folder. */
export async function javaPeer(folder: string, heapMib: number): Promise<Peer> {
  const jars = join(folder, 'jars');
  await promisify(execFile)('mvn', [
    ...['-q', '-B', '-f', join(project, 'pom.xml'), `-Dfolder=${folder}`, 'compile'],
    ...['org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies', `-DoutputDirectory=${jars}`],
  ]);
  const classpath = [join(folder, 'build/classes'), join(jars, '*')].join(':');
  // G1, the default, works beside the program: a quarter of its CPU-seconds were the collector's threads.
  const flags = [
    '-XX:+UseParallelGC',
    `-Xms${heapMib}m`,
    `-Xmx${heapMib}m`,
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
  ];
  return {
    name: `Kafka Streams (Java), heap ${heapMib} MiB`,
    tables: coreTables,
    command: ({ brokers, registryUrl, applicationId, folder: state, partitions, commitIntervalMs }) => ({
      file: 'java',
      args: [
        ...[...flags, '-cp', classpath, 'millrace.peer.Main'],
        ...[brokers, registryUrl, applicationId, state, String(partitions), `commit.interval.ms=${commitIntervalMs}`],
      ],
    }),
  };
}
