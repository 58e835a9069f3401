import type { KafkaAccess } from './access.ts';
import { startKafkaCluster, type KafkaClusterSettings } from './cluster.ts';

/** A cluster of one broker, for a test run: on free ports, in a folder of its own that goes with it. */
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

export type KafkaSettings = Pick<KafkaClusterSettings, 'secure' | 'overrides'>;

export async function startKafka(settings: KafkaSettings = {}): Promise<KafkaBroker> {
  const cluster = await startKafkaCluster(settings);
  const [node] = cluster.nodes as [(typeof cluster.nodes)[number]];
  return {
    address: node.address,
    version: cluster.version,
    get pid() {
      return node.pid;
    },
    logFile: node.logFile,
    classpath: cluster.classpath,
    access: cluster.access,
    async restart() {
      await node.stop('SIGKILL');
      await node.start();
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}
