import { join } from 'node:path';
import { Host, type HostOptions } from './host.ts';

/**
 * Further host threads of an instance on a cluster (Kafka Streams' `num.stream.threads`). Each is a member of the group with a folder of
 * its own, and is asked over HTTP as any other instance; they share a port.
 */
export async function openStreamThreads(options: HostOptions, count: number): Promise<StreamThreads> {
  const hosts: Host[] = [];
  const threads = {
    hosts,
    async [Symbol.asyncDispose]() {
      for (const host of hosts) await host.close();
    },
  };
  try {
    for (let thread = 1; thread <= count; thread++) {
      const dataDir = join(options.dataDir, 'threads', String(thread));
      hosts.push(await Host.open({ ...options, dataDir, runs: false }));
    }
    return threads;
  } catch (error) {
    await threads[Symbol.asyncDispose]();
    throw error;
  }
}

export interface StreamThreads extends AsyncDisposable {
  readonly hosts: readonly Host[];
}

/** Where other instances reach a thread of the instance at `url`; the first one is the instance itself. */
export function threadUrl(url: string, thread: number): string {
  return thread === 0 ? url : `${url}${threadPath(thread)}`;
}

/** Of its routes. */
export function threadPath(thread: number): string {
  return thread === 0 ? '' : `/internal/threads/${thread}`;
}
