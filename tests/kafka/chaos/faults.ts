import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaBroker } from '../../../scripts/kafka/broker.ts';
import type { ChildInstance } from './child-instance.ts';
import type { CuttingProxy } from './cutting-proxy.ts';

export const full = process.env['MILLRACE_CHAOS'] === 'full';

/** What goes wrong in a run; `npm run chaos` does more of each than the small run (`MILLRACE_CHAOS=small npm run chaos`). */
const amount = full
  ? { kills: 20, cuts: 24, pauses: 2, brokerKills: 2 }
  : { kills: 4, cuts: 6, pauses: 1, brokerKills: 1 };

type Fault = 'kill' | 'pause' | 'broker-kill' | 'request-lost' | 'answer-lost';

/** Always the same ones in the same order. */
export const faults: readonly Fault[] = shuffled([
  ...Array.from({ length: amount.kills }, (): Fault => 'kill'),
  ...Array.from({ length: amount.cuts }, (_, n): Fault => (n % 2 === 0 ? 'request-lost' : 'answer-lost')),
  ...Array.from({ length: amount.pauses }, (): Fault => 'pause'),
  ...Array.from({ length: amount.brokerKills }, (): Fault => 'broker-kill'),
]);

export interface Victims {
  readonly instances: readonly ChildInstance[];
  readonly proxy: CuttingProxy;
  readonly broker: KafkaBroker;
  readonly everyMs: number;
  /** Longer than a session. */
  readonly pauseMs: number;
}

/** One fault after the other, as many ms apart; every fifth kill takes the folder too. */
export async function runFaults({ instances, proxy, broker, everyMs, pauseMs }: Victims): Promise<void> {
  for (const [at, fault] of faults.entries()) {
    const next = sleep(everyMs);
    const instance = instances[at % instances.length]!;
    if (fault === 'kill') await instance.killAndStart(at % 5 === 4);
    else if (fault === 'pause') await instance.pause(pauseMs);
    else if (fault === 'broker-kill') await broker.restart();
    else proxy.plan(fault);
    await next;
  }
}

/** What instances have said, all together, and what the proxy has cut. */
export function faultReport(instances: readonly ChildInstance[], proxy: CuttingProxy): string {
  const seen: Record<string, number> = {};
  for (const instance of instances) {
    for (const [what, count] of Object.entries(instance.seen)) seen[what] = (seen[what] ?? 0) + count;
  }
  return `cuts ${JSON.stringify(proxy.cuts)}; instances said ${JSON.stringify(seen, null, 1)}`;
}

function shuffled<T>(items: readonly T[]): T[] {
  let seed = 42;
  const random = () => (seed = (seed * 48_271) % 0x7fffffff) / 0x7fffffff;
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
