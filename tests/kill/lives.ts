import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { uciFiles } from '../equality/shop-run.ts';
import { HttpProducers } from './http-producers.ts';
import type { Evidence, KillPlan } from './kill-plan.ts';
import { live, type Life } from './life.ts';
import type { Piece } from './pieces.ts';

export type PlannedKill = Omit<KillPlan, 'evidence' | 'dataDir'>;

export interface Lives {
  readonly kills: readonly Evidence[];
  readonly producers: HttpProducers;
  /** The topology stopped by itself in the last life. */
  readonly failure: string | undefined;
}

/**
 * One run of the system through many lives on one data folder: in each the sources go on with the first piece that
 * was not acknowledged in full (so part of it is ingested again), producers post beside it, and the plan ends it. The last
 * life is not killed: it takes in the rest of the pieces and stops.
 */
export async function liveThrough(
  kills: readonly PlannedKill[],
  run: {
    readonly folder: string;
    readonly partitions: number;
    readonly pieces: readonly Piece[];
    readonly piecesPerLife: number;
    /** The last life goes on until so many events are acknowledged over HTTP. */
    readonly httpEventsMin: number;
    readonly onKill?: (life: Life) => void;
  },
): Promise<Lives> {
  const producers = new HttpProducers({ producers: 3, eventsPerRequest: 40, pauseMs: 60 });
  const dataDir = join(run.folder, 'data');
  const evidence = join(run.folder, 'evidence.json');
  const { partitions } = run;
  const ingested = new Set<string>();
  const left = () => run.pieces.filter(({ name }) => !ingested.has(name));
  const died: Evidence[] = [];
  for (const kill of kills) {
    const pieces = left().slice(0, run.piecesPerLife);
    const life = await live({ dataDir, partitions, pieces }, { plan: { ...kill, evidence, dataDir }, producers });
    for (const name of life.ingested) ingested.add(name);
    if (life.failure !== undefined) return { kills: died, producers, failure: life.failure };
    died.push(life.evidence!);
    run.onKill?.(life);
  }
  const until = async (): Promise<void> => {
    while (producers.acknowledged.events.size < run.httpEventsMin)
      await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const last = await live({ dataDir, partitions, pieces: left() }, { plan: undefined, producers, until });
  return { kills: died, producers, failure: last.failure };
}

/** The first lines of the first year, as files of so many lines each. */
export function writePieces(folder: string, pieces: { readonly lines: number; readonly count: number }): string[] {
  const [header, ...lines] = brotliDecompressSync(readFileSync(uciFiles[0]!)).toString().trimEnd().split('\n');
  return Array.from({ length: pieces.count }, (_, at) => {
    const path = join(folder, `piece-${at}.csv`);
    const text = [header, ...lines.slice(at * pieces.lines, (at + 1) * pieces.lines)].join('\n');
    writeFileSync(path, `${text}\n`);
    return path;
  });
}

/** How often each point killed, and what stood open there. */
export function histogram(kills: readonly Evidence[]): string {
  const rows = [...new Set(kills.map(({ point }) => point))].map((point) => {
    const of = kills.filter((kill) => kill.point === point);
    const span = (numbers: readonly number[]): string => `${Math.min(...numbers)}..${Math.max(...numbers)}`;
    const commits = span(of.map((kill) => kill.commits));
    const batches = span(of.map(({ batchesOpen }) => batchesOpen));
    const requests = span(of.map(({ requestsOpen }) => requestsOpen));
    return [point, `${of.length}`, '#'.repeat(of.length), commits, batches, requests];
  });
  const table = [['kill point', 'kills', '', 'commits', 'batches open', 'requests open'], ...rows];
  const widths = table[0]!.map((_, at) => Math.max(...table.map((row) => row[at]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
