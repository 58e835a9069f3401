import { readFileSync } from 'node:fs';
import { MillraceError } from '../schemas/index.ts';
import {
  choiceSetting,
  flagOf,
  notAllowed,
  type Setting,
  switchSetting,
  textSetting,
  variableOf,
  wholeNumberSetting,
} from './setting.ts';

/** Everything that can be set, with what it is when nobody sets it. */
export const settings = {
  dataDir: textSetting({
    standard: '.data',
    wanted: 'the path of a folder',
    placeholder: 'folder',
    help: 'folder of log, stores and schemas; made when it is not there',
  }),
  host: textSetting({
    standard: '127.0.0.1',
    wanted: 'an address to listen on',
    placeholder: 'address',
    help: 'address to listen on; there are no users or keys yet, so keep it private',
  }),
  port: wholeNumberSetting({ standard: 3000, min: 0, max: 65_535, help: 'port to listen on; 0 takes a free one' }),
  partitions: wholeNumberSetting({
    standard: 1,
    min: 1,
    max: 64,
    help: 'partitions of a new data folder; one that exists keeps its number',
  }),
  syncWrites: switchSetting({
    standard: false,
    help: 'acknowledge only what survives a power loss, not just a killed process',
  }),
  memory: wholeNumberSetting({
    standard: 1024,
    min: 256,
    max: 1_048_576,
    help: 'MiB of memory that caches and buffers are sized for',
  }),
  pace: wholeNumberSetting({
    standard: 200,
    min: 0,
    max: 1_000_000,
    help: 'live events per second of --dataset; 0 is as fast as possible (uci)',
  }),
  kafka: textSetting({
    standard: '',
    wanted: 'host:port of a broker, or of several with commas between',
    placeholder: 'brokers',
    help: 'the log is on this Kafka cluster; the folder holds the state of this instance',
  }),
  registry: textSetting({
    standard: '',
    wanted: 'an http or https address',
    placeholder: 'url',
    help: 'with --kafka: a schema registry that speaks the Confluent API',
  }),
  applicationId: textSetting({
    standard: 'shop',
    wanted: 'a name',
    placeholder: 'name',
    help: 'with --kafka: names the consumer group and its topics; instances of one shop have the same',
  }),
  advertisedUrl: textSetting({
    standard: '',
    wanted: 'an http address',
    placeholder: 'url',
    help: 'with --kafka: where other instances reach this one; else the address it listens on',
  }),
  standbyReplicas: wholeNumberSetting({
    standard: 0,
    min: 0,
    max: 10,
    help: 'with --kafka: other instances that follow the state of each task',
  }),
  streamThreads: wholeNumberSetting({
    standard: 1,
    min: 1,
    max: 64,
    help: 'with --kafka: threads that process; each counts as an instance and has its share of the memory',
  }),
  processingGuarantee: choiceSetting({
    standard: 'exactly_once',
    words: ['exactly_once', 'at_least_once'],
    help: 'with --kafka: exactly_once, or at_least_once, which writes no transactions and may count twice after a crash',
  }),
  kafkaTls: switchSetting({ standard: false, help: "with --kafka: TLS, with the system's CAs" }),
  kafkaCa: textSetting({
    standard: '',
    wanted: 'the path of a PEM file',
    placeholder: 'file',
    help: "with --kafka: TLS, with this CA for the brokers' certificates",
  }),
  kafkaUser: textSetting({
    standard: '',
    wanted: 'a user name',
    placeholder: 'name',
    help: 'with --kafka: SASL with SCRAM-SHA-512; the password stands in MILLRACE_KAFKA_PASSWORD',
  }),
  kafkaPassword: textSetting({
    standard: '',
    wanted: 'a password',
    placeholder: 'password',
    help: 'of --kafka-user; rather in the environment, where other users of the machine do not see it',
  }),
  stopDeadlineMs: wholeNumberSetting({
    standard: 10_000,
    min: 100,
    max: 600_000,
    help: 'time to stop in, after SIGTERM or Ctrl-C',
  }),
} as const;

export type SettingKey = keyof typeof settings;

export type Settings = {
  readonly [Key in SettingKey]: (typeof settings)[Key] extends Setting<infer Value> ? Value : never;
};

/** As commander gives them: the text of a flag, true for a switch. */
export type Flags = { readonly [Key in SettingKey]?: string | boolean } & { readonly config?: string };

export type Environment = { readonly [variable: string]: string | undefined };

/**
 * Flags over environment over the configuration file over what is standard.
 *
 *     readSettings({ port: '8080' }, { MILLRACE_PORT: '9090', MILLRACE_DATA_DIR: '/srv/shop' })
 *     // port 8080, dataDir /srv/shop, the rest standard
 *
 * @throws MillraceError `INVALID_ARGUMENT` naming the key, what was wanted and what was found; also for a key or a
 *   variable that nobody knows, because a typing mistake would otherwise be silent.
 */
export function readSettings(flags: Flags, environment: Environment): Settings {
  const variables = knownVariables(environment);
  const path = flags.config ?? environment['MILLRACE_CONFIG'];
  const file = path === undefined ? {} : readConfig(path);
  const read = <Value>(key: SettingKey, setting: Setting<Value>): Value => {
    const flag = flags[key];
    if (typeof flag === 'boolean') return flag as Value;
    if (flag !== undefined) return must(setting.fromText(flag), flagOf(key), setting, flag);
    const text = variables[key];
    if (text !== undefined) return must(setting.fromText(text), variableOf(key), setting, text);
    if (!Object.hasOwn(file, key)) return setting.standard;
    return must(setting.fromJson(file[key]), `'${key}' in ${path}`, setting, file[key]);
  };
  return {
    dataDir: read('dataDir', settings.dataDir),
    host: read('host', settings.host),
    port: read('port', settings.port),
    partitions: read('partitions', settings.partitions),
    syncWrites: read('syncWrites', settings.syncWrites),
    memory: read('memory', settings.memory),
    pace: read('pace', settings.pace),
    kafka: read('kafka', settings.kafka),
    registry: read('registry', settings.registry),
    applicationId: read('applicationId', settings.applicationId),
    advertisedUrl: read('advertisedUrl', settings.advertisedUrl),
    standbyReplicas: read('standbyReplicas', settings.standbyReplicas),
    streamThreads: read('streamThreads', settings.streamThreads),
    processingGuarantee: read('processingGuarantee', settings.processingGuarantee),
    kafkaTls: read('kafkaTls', settings.kafkaTls),
    kafkaCa: read('kafkaCa', settings.kafkaCa),
    kafkaUser: read('kafkaUser', settings.kafkaUser),
    kafkaPassword: read('kafkaPassword', settings.kafkaPassword),
    stopDeadlineMs: read('stopDeadlineMs', settings.stopDeadlineMs),
  };
}

function must<Value>(value: Value | undefined, where: string, { wanted }: Setting<Value>, found: unknown): Value {
  if (value === undefined) throw notAllowed(where, wanted, JSON.stringify(found));
  return value;
}

const keys = Object.keys(settings) as SettingKey[];

/** Of the tests and benches; the command line has no part in them. */
const othersVariables = /^MILLRACE_(TEST_\w+|SEED|KAFKA_JARS|REGISTRY_FOLDER)$/;

function knownVariables(environment: Environment): { readonly [Key in SettingKey]?: string } {
  const keyOf = new Map(keys.map((key) => [variableOf(key), key]));
  const found: { [Key in SettingKey]?: string } = {};
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('MILLRACE_') || variable === 'MILLRACE_CONFIG' || othersVariables.test(variable)) continue;
    const key = keyOf.get(variable);
    if (key === undefined) {
      throw notAllowed('the environment', `one of ${[...keyOf.keys(), 'MILLRACE_CONFIG'].join(', ')}`, variable);
    }
    if (text !== undefined) found[key] = text;
  }
  return found;
}

function readConfig(path: string): { readonly [key: string]: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError(
      'INVALID_ARGUMENT',
      `The configuration file ${path} wants a JSON object: ${why}`,
      { path },
      {
        cause,
      },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw notAllowed(`the configuration file ${path}`, 'a JSON object', JSON.stringify(value).slice(0, 80));
  }
  for (const key of Object.keys(value)) {
    if (!(keys as readonly string[]).includes(key)) {
      throw notAllowed(`the configuration file ${path}`, `the keys ${keys.join(', ')}`, `'${key}'`);
    }
  }
  return value as { readonly [key: string]: unknown };
}
