import { MillraceError } from '../../schemas/index.ts';
import { errorFrom, type Host, spawnWorker } from '../../serving/host/index.ts';
import type { LoadJob, LoadMessage, LoadProgress } from './load-messages.ts';

export interface LoadOptions extends Pick<
  LoadJob,
  'path' | 'format' | 'catalogue' | 'generated' | 'dataDir' | 'skipRows' | 'pace' | 'paceFromRow'
> {
  readonly host: Host;
  /** Stops the reading; what was read is still written. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: LoadProgress) => void;
}

export interface LoadResult {
  readonly kind: 'done' | 'stopped';
  readonly progress: LoadProgress;
}

/**
 * Reads a file of events or products into the log, in a thread of its own. Resolves when all of it is durable, or when it was stopped.
 * @throws MillraceError `SOURCE_UNREADABLE`; what came before the unreadable place is in the log.
 */
export async function loadFile({ host, signal, onProgress, ...options }: LoadOptions): Promise<LoadResult> {
  const port = await host.connect();
  const job: LoadJob = { ...options, partitions: host.partitions, registry: host.registry, host: port };
  const worker = spawnWorker(new URL('./load-thread.ts', import.meta.url), { workerData: job, transferList: [port] });
  const stop = (): void => worker.postMessage('stop');
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise<LoadResult>((resolve, reject) => {
      worker.on('message', (message: LoadMessage) => {
        if (message.kind === 'failed') reject(errorFrom(message.error));
        else if (message.kind === 'progress') onProgress(message.progress);
        else resolve(message);
      });
      worker.on('error', reject);
      worker.on('exit', (code) => {
        reject(
          new MillraceError('INTERNAL', `The thread that reads ${options.path} ended with code ${code}.`, { code }),
        );
      });
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
