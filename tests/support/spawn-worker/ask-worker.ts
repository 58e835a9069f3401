import { once } from 'node:events';
import { spawnWorker } from '../../../serving/host/spawn-worker.ts';

/** Starts the answering worker and gives its first message. */
export async function askWorker(question: string): Promise<unknown> {
  const worker = spawnWorker(new URL('./answering-worker.ts', import.meta.url), { workerData: { question } });
  const [answer] = (await once(worker, 'message')) as [unknown];
  await worker.terminate();
  return answer;
}
