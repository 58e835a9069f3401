import type { GenerationFacts, ReplayProgress } from '../messages.ts';
import type { GenerationEntry } from './generation-book.ts';

/** What readers are told of a generation. `shownId`: of the one that answers are about; the book may be ahead of it for a moment. */
export function generationFacts(
  { id, state, parameters, startOffsets, createdMs, activated }: GenerationEntry,
  { shownId, progress }: { readonly shownId: number; readonly progress: ReplayProgress | null },
): GenerationFacts {
  return {
    ...{ id, state: id === shownId ? 'active' : state === 'active' ? 'replaying' : state },
    ...{ parameters, startOffsets, createdMs },
    activatedMs: activated?.atMs ?? null,
    activeFrom: activated?.offsets ?? null,
    progress,
  };
}
