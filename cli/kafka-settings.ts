import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { MillraceError } from '../schemas/index.ts';
import type { KafkaSettings } from '../serving/host/index.ts';
import { flagOf } from './setting.ts';
import type { Settings } from './settings.ts';

type Given = Pick<
  Settings,
  | 'kafka'
  | 'registry'
  | 'applicationId'
  | 'kafkaTls'
  | 'kafkaCa'
  | 'kafkaUser'
  | 'kafkaPassword'
  | 'standbyReplicas'
  | 'streamThreads'
  | 'processingGuarantee'
>;

/**
 * The cluster that a command was told of; undefined where the log is in the data folder.
 * @throws MillraceError `INVALID_ARGUMENT` where one setting wants another
 */
export function kafkaSettings(given: Given): KafkaSettings | undefined {
  const { kafka, registry, applicationId, kafkaTls, kafkaCa, kafkaUser, kafkaPassword } = given;
  const { standbyReplicas, processingGuarantee } = given;
  if (kafka === '') {
    for (const key of ['registry', 'kafkaTls', 'kafkaCa', 'kafkaUser', 'kafkaPassword', 'standbyReplicas'] as const) {
      if (given[key]) throw wrong(`${flagOf(key)} goes with --kafka, which names the brokers`);
    }
    if (given.streamThreads > 1) throw wrong('--stream-threads goes with --kafka, which names the brokers');
    return undefined;
  }
  const brokers = kafka.split(',').map((each) => each.trim());
  for (const each of brokers) {
    if (!/^[^\s:]+:\d+$/.test(each)) throw wrong(`--kafka wants host:port, or several with commas, found '${kafka}'`);
  }
  if (registry === '') throw wrong('--kafka wants --registry beside it, the address of a schema registry');
  if ((kafkaUser === '') !== (kafkaPassword === '')) {
    throw wrong('--kafka-user and MILLRACE_KAFKA_PASSWORD go together, found one of them');
  }
  const sasl = { mechanism: 'scram-sha-512', username: kafkaUser, password: kafkaPassword } as const;
  return {
    log: {
      brokers,
      ...(kafkaCa !== '' ? { ssl: { ca: pem(kafkaCa) } } : kafkaTls && { ssl: true }),
      ...(kafkaUser !== '' && { sasl }),
    },
    registry: { url: registry },
    applicationId,
    standbyReplicas,
    processingGuarantee,
    processId: randomUUID(),
  };
}

function pem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError('INVALID_ARGUMENT', `--kafka-ca wants a PEM file: ${why}`, { path }, { cause });
  }
}

function wrong(message: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', message);
}
