import { WriteBatchBuilder } from '../../state/index.ts';
import type { Engine } from '../../state/engine.ts';
import { appendTimesSinceKey, encodeOffsets } from './layout.ts';

/**
 * For the migration of a folder whose batches have no append times: notes that they are older than now, so that retention takes
 * them as if they had been appended now, and not for ever. Doing it twice is doing it once. No log may be open over the database.
 */
export async function noteAppendTimes(engine: Engine, nowMs: number): Promise<void> {
  if ((await engine.getMany('meta', [appendTimesSinceKey]))[0] !== undefined) return;
  const batch = new WriteBatchBuilder();
  batch.put('meta', appendTimesSinceKey, encodeOffsets(nowMs));
  batch.seal();
  await engine.write(batch, { sync: true });
}
