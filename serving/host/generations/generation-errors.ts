import { MillraceError } from '../../../schemas/index.ts';
import type { ReplayProgress } from '../messages.ts';

export function replayRunning(id: number, { processed, total, error }: ReplayProgress): MillraceError {
  const percent = total === 0 ? 100 : Math.floor((100 * processed) / total);
  const how = error === null ? `is under way (${percent} %)` : `has failed: ${error.message}`;
  return new MillraceError(
    'REPLAY_RUNNING',
    `The replay into generation ${id} ${how}. Wait for it, or give it up: millrace generations prune ${id}`,
    { generation: id },
  );
}

export function noGeneration(id: number): MillraceError {
  return new MillraceError('NOT_FOUND', `There is no generation ${id}.`, { generation: id });
}

export function isActiveAlready(id: number): MillraceError {
  return new MillraceError('GENERATION_IN_USE', `Generation ${id} is the active one already.`, { generation: id });
}

export function isActive(id: number): MillraceError {
  const message = `Generation ${id} is the active one: activate another one first.`;
  return new MillraceError('GENERATION_IN_USE', message, { generation: id });
}
