/** A child of the chaos test: an instance over a folder of its own, until it is killed. `words-child.ts BROKER APPLICATION FOLDER` */
import { openKafkaLog } from '../../../log/index.ts';
import { openDataFolder } from '../../../state/index.ts';
import { Instance } from '../../../topology/distributed/word-counts.testing.ts';

const [broker, applicationId, folder] = process.argv.slice(2) as [string, string, string];
const say = (what: object): void => {
  process.stdout.write(`${JSON.stringify(what)}\n`);
};
const engine = await openDataFolder(folder);
const log = await openKafkaLog({
  brokers: [broker],
  sessionTimeoutMs: 6000,
  heartbeatIntervalMs: 500,
  requestTimeoutMs: 5000,
  onError: (error) => say({ heard: String(error) }),
});
const { runtime } = await Instance.start(log, applicationId, {
  engine,
  config: { commitIntervalMs: 100, reopenDelayMs: 1000, standbyReplicas: 1, acceptableRecoveryLag: 1000 },
  onRecovery: ({ task, error }) => say({ givenUp: task, code: error.code }),
  onRestore: ({ topic, partition, offset, endOffset, records, full }) => {
    if (offset >= endOffset) say({ restored: `${topic}/${partition}`, records, full });
  },
  onFailure: (error) => {
    say({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    process.exit(1);
  },
});
say({ started: true });
setInterval(() => say({ tasks: runtime.tasks }), 2000);
