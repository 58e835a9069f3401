import { setTimeout } from 'node:timers/promises';
import { MillraceError, type ErrorCode } from '../../schemas/index.ts';
import type { GenerationFacts, ReplayRequest } from '../../serving/host/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { openGenerations, type GenerationControl } from '../generations/generation-control.ts';
import { startProgress } from '../progress.ts';
import type { Settings } from '../settings.ts';
import { Shutdown } from '../shutdown.ts';
import { print, table, warn } from '../terminal.ts';

/** Builds a generation anew and waits until it is the active one; where a server has the folder, the server does it. */
export async function replay({ dataDir, stopDeadlineMs }: Settings, request: ReplayRequest): Promise<number> {
  await using control = await openGenerations(dataDir, { runs: true });
  return await followed(control, stopDeadlineMs, () => control.replay(request));
}

export async function activate({ dataDir, stopDeadlineMs }: Settings, id: number): Promise<number> {
  await using control = await openGenerations(dataDir, { runs: true });
  return await followed(control, stopDeadlineMs, () => control.activate(id));
}

export async function prune({ dataDir }: Settings, id: number): Promise<number> {
  await using control = await openGenerations(dataDir, { runs: false });
  await control.prune(id);
  print(`Generation ${id} is gone.`);
  return exitCodes.ok;
}

export async function listGenerations({ dataDir }: Settings): Promise<number> {
  await using control = await openGenerations(dataDir, { runs: false });
  const rows = (await control.generations()).map(({ id, state, createdMs, activatedMs, parameters, progress }) => [
    String(id),
    progress === null ? state : `${state}, ${percent(progress)} %`,
    createdMs === 0 ? 'with the folder' : shown(createdMs),
    activatedMs === null ? '' : shown(activatedMs),
    Object.entries(parameters)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  ]);
  print(table(['GENERATION', 'STATE', 'MADE', 'ACTIVATED', 'PARAMETERS'], rows));
  return exitCodes.ok;
}

async function followed(
  control: GenerationControl,
  stopDeadlineMs: number,
  begin: () => Promise<GenerationFacts>,
): Promise<number> {
  using shutdown = new Shutdown(stopDeadlineMs);
  const { id } = await begin();
  const bar = startProgress(`Replaying into generation ${id}`, 'records');
  try {
    while (!shutdown.requested) {
      const { state, progress } = await generationOf(control, id);
      if (progress !== null) bar.update(progress.processed, progress.total);
      if (progress?.error) throw new MillraceError(progress.error.code as ErrorCode, progress.error.message);
      if (state === 'active') {
        print(`Generation ${id} is the active one.`);
        return exitCodes.ok;
      }
      await setTimeout(lookEveryMs, undefined, { signal: shutdown.signal }).catch(() => undefined);
    }
  } finally {
    bar.stop();
  }
  warn(`Generation ${id} is on its way still: a running server goes on with it, and so does the next start.`);
  return exitCodes.error;
}

async function generationOf(control: GenerationControl, id: number): Promise<GenerationFacts> {
  const found = (await control.generations()).find((generation) => generation.id === id);
  if (found !== undefined) return found;
  throw new MillraceError('NOT_FOUND', `Generation ${id} has been pruned meanwhile.`, { generation: id });
}

function percent({ processed, total }: { readonly processed: number; readonly total: number }): number {
  return total === 0 ? 100 : Math.floor((100 * processed) / total);
}

function shown(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

const lookEveryMs = 250;
