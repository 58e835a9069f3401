import { shopTopics } from '../../processors/index.ts';
import { type Host, HostPort } from '../../serving/host/index.ts';
import { startProgress } from '../progress.ts';
import { loadFile, type LoadOptions, type LoadResult } from './load-file.ts';
import type { LoadProgress } from './load-messages.ts';

/** How often the topology is asked how far it is. */
const lookEveryMs = 250;

export interface FollowOptions extends LoadOptions {
  readonly label: string;
  /** Rows that there will be. Default: by the part of the file that was read. */
  readonly rowsTotal?: number;
}

export interface Followed extends LoadResult {
  /** The topology has processed all of it and committed. */
  readonly processed: boolean;
}

/**
 * Loads a file, waits until the topology has processed it, and shows how far that is: rows that were processed and
 * committed, of as many as the file will have by the part of it that was read.
 */
export async function followLoad({ label, rowsTotal, ...options }: FollowOptions): Promise<Followed> {
  const bar = startProgress(label, 'rows');
  const lag = await watchLag(options.host, [
    options.catalogue === undefined ? shopTopics.interactions : shopTopics.productsHistory,
  ]);
  let latest: LoadProgress | undefined;
  const show = (): void => {
    if (latest !== undefined) bar.update(Math.max(0, latest.rows - lag.records), rowsExpected(latest, rowsTotal));
  };
  lag.onLook(show);
  try {
    const loaded = await loadFile({
      ...options,
      onProgress(progress) {
        latest = progress;
        options.onProgress(progress);
      },
    });
    latest = loaded.progress;
    options.onProgress(loaded.progress);
    if (loaded.kind === 'stopped' || !(await untilProcessed(options.host, options.signal))) {
      return { ...loaded, processed: false };
    }
    lag.stop();
    bar.update(latest.rows, latest.rows);
    return { ...loaded, processed: true };
  } finally {
    lag.stop();
    bar.stop();
  }
}

/** Loads a file and shows how much of it the log has, whatever becomes of it then. */
export async function followAppends({ label, rowsTotal, ...options }: FollowOptions): Promise<Followed> {
  const bar = startProgress(label, 'rows');
  try {
    const loaded = await loadFile({
      ...options,
      onProgress(progress) {
        bar.update(progress.rows, rowsExpected(progress, rowsTotal));
        options.onProgress(progress);
      },
    });
    return { ...loaded, processed: false };
  } finally {
    bar.stop();
  }
}

function rowsExpected({ rows, bytesRead, bytesTotal }: LoadProgress, rowsTotal: number | undefined): number {
  if (rowsTotal !== undefined) return Math.max(rows, rowsTotal);
  if (bytesRead === 0 || bytesTotal === undefined) return rows;
  return Math.max(rows, Math.round((rows * bytesTotal) / bytesRead));
}

/** Waits until the topology has caught up, with a bar when that takes long. True when it has; false when stopped. */
export async function followProcessing(label: string, host: Host, signal: AbortSignal): Promise<boolean> {
  const lag = await watchLag(host, [shopTopics.interactions, shopTopics.productsHistory]);
  const first = new Promise<void>((resolve) => lag.onLook(resolve));
  const caughtUp = untilProcessed(host, signal);
  try {
    await Promise.race([first, caughtUp]);
    const total = lag.records;
    if (total === 0) return await caughtUp;
    const bar = startProgress(label, 'records');
    lag.onLook(() => bar.update(total - lag.records, total));
    try {
      return await caughtUp;
    } finally {
      bar.stop();
    }
  } finally {
    lag.stop();
  }
}

/** True when the topology has caught up; false when the signal came before. */
async function untilProcessed(host: Host, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const caughtUp = host.request<'caughtUp'>({ kind: 'caughtUp' }).then(() => true);
  const stopped = new Promise<boolean>((resolve) => {
    signal.addEventListener('abort', () => resolve(false), { once: true });
  });
  caughtUp.catch(() => undefined); // A host that stops fails what waits for it.
  return await Promise.race([caughtUp, stopped]);
}

interface LagWatch {
  /** In the topics together: records in the log that committed state does not reflect. */
  readonly records: number;
  /** Called after each look. One listener. */
  onLook(listener: () => void): void;
  stop(): void;
}

/**
 * Looks at the lag again and again, over a connection of its own: whoever waits on the host's main connection makes the
 * topology work in small batches, and nobody hurries here.
 */
async function watchLag(host: Host, topics: readonly string[]): Promise<LagWatch> {
  const port = new HostPort(await host.connect());
  let records = 0;
  let listener: (() => void) | undefined;
  const look = async (): Promise<void> => {
    const lags = await port.request<'lag'>({ kind: 'lag' });
    records = lags.reduce((sum, { topic, lagRecords }) => sum + (topics.includes(topic) ? lagRecords : 0), 0);
    listener?.();
  };
  // A host that failed is reported by whoever waits for its work; here the bar just stands still.
  const looking = setInterval(() => void look().catch(() => undefined), lookEveryMs);
  return {
    get records() {
      return records;
    },
    onLook(then) {
      listener = then;
    },
    stop() {
      clearInterval(looking);
      listener = undefined;
      port.close();
    },
  };
}
