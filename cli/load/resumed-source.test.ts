import { expect, test } from 'vitest';
import type { Interaction } from '../../schemas/index.ts';
import type { EventSource, SourceBatch, SourceReject } from '../../sources/index.ts';
import { ResumedSource } from './resumed-source.ts';

/** Batches of ten rows, every fourth one with a reject among them. */
function source(batches: number): EventSource {
  return {
    name: 'lines',
    bytesTotal: batches,
    async *batches() {
      for (let batch = 0; batch < batches; batch++) {
        const rejects = batch % 4 === 0 ? [{ line: batch } as SourceReject] : [];
        const events = Array.from(
          { length: 10 - rejects.length },
          (_, at) => ({ eventId: `${batch}.${at}` }) as Interaction,
        );
        const lines = events.map((_, at) => 10 * batch + at);
        yield { events, lines, rejects, bytesRead: batch + 1 };
      }
    },
  };
}

async function rows(resumed: ResumedSource): Promise<{ ids: string[]; rejects: number[]; batches: SourceBatch[] }> {
  const batches: SourceBatch[] = [];
  for await (const batch of resumed.batches()) batches.push(batch);
  const ids = batches.flatMap(({ events }) => events.map(({ eventId }) => eventId));
  return { ids, rejects: batches.flatMap(({ rejects }) => rejects.map(({ line }) => line)), batches };
}

test('from the beginning, everything comes once and in order, however thin the slices', async () => {
  const whole = await rows(new ResumedSource(source(8), { skipRows: 0, sliceRows: Infinity }));
  expect(whole.ids).toHaveLength(78);
  for (const sliceRows of [1, 3, 9, 10, 100]) {
    const sliced = await rows(new ResumedSource(source(8), { skipRows: 0, sliceRows }));
    expect([sliced.ids, sliced.rejects]).toEqual([whole.ids, whole.rejects]);
    const lines = sliced.batches.flatMap((batch) => batch.lines);
    expect(lines).toEqual(whole.batches.flatMap((batch) => batch.lines));
    expect(Math.max(...sliced.batches.map(({ events }) => events.length))).toBe(Math.min(sliceRows, 10));
  }
});

test('a run that goes on repeats the batch in which the last one ended, and leaves no row out', async () => {
  const { ids } = await rows(new ResumedSource(source(8), { skipRows: 0, sliceRows: Infinity }));
  for (let skipRows = 0; skipRows <= 80; skipRows++) {
    const resumed = new ResumedSource(source(8), { skipRows, sliceRows: 4 });
    const rest = await rows(resumed);
    expect(resumed.skippedRows).toBe(Math.floor(skipRows / 10) * 10);
    expect(rest.ids).toEqual(ids.slice(ids.length - rest.ids.length));
    expect(rest.ids.length + rest.rejects.length).toBe(80 - resumed.skippedRows);
  }
});

test('a batch of nothing but rejects comes through', async () => {
  const rejects = [{ line: 1 } as SourceReject];
  const lines: EventSource = {
    name: 'lines',
    bytesTotal: 1,
    async *batches() {
      yield { events: [], lines: [], rejects, bytesRead: 1 };
    },
  };
  const { batches } = await rows(new ResumedSource(lines, { skipRows: 0, sliceRows: 5 }));
  expect(batches).toEqual([{ events: [], lines: [], rejects, bytesRead: 1 }]);
});

test('slices begin where they are asked to; the row under way is told', async () => {
  const resumed = new ResumedSource(source(4), { skipRows: 10, sliceRows: 5, sliceFromRow: 21 });
  const seen: [row: number, events: number][] = [];
  for await (const { events } of resumed.batches()) seen.push([resumed.row, events.length]);
  expect(seen).toEqual([
    [10, 10],
    [20, 10],
    [30, 5],
    [30, 5],
  ]);
});
