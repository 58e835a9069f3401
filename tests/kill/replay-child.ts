import { setTimeout as sleep } from 'node:timers/promises';
import { Host } from '../../serving/host/host.ts';

/** One life of a host in which a replay is under way, begun here or before. Tells how far it is; ends by SIGKILL. */
const [dataDir] = process.argv.slice(2) as [string];
const host = await Host.open({ dataDir, commitIntervalMs: 20 });
host.onPublication(() => undefined);
const before = await host.request<'generations'>({ kind: 'generations' });
if (before.length === 1) {
  const parameters = { pairPositions: 3 };
  await host.request<'replay'>({ kind: 'replay', from: { kind: 'earliest' }, trimmed: false, parameters });
}
for (;;) {
  const generation = (await host.request<'generations'>({ kind: 'generations' })).find(({ id }) => id === 2)!;
  process.send!(generation);
  await sleep(5);
}
