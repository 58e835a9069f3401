import type { Product } from '../../schemas/index.ts';
import { generatedSource, InteractionStream, openUciOnlineRetail, type EventSource } from '../../sources/index.ts';
import { laterVersions, openSample, productsOf } from '../equality/catalogues.ts';

/** What a life takes in beside what comes over HTTP; when it was not acknowledged in full, the next life begins it anew. */
export type Piece = { readonly name: string } & (
  | { readonly kind: 'uci'; readonly path: string }
  /** Events of the generator from a minute on. */
  | { readonly kind: 'generated'; readonly minute: number; readonly events: number }
  /** The sample, or what changes in it. */
  | { readonly kind: 'catalogue'; readonly updatedAtMs: number; readonly changes: boolean }
);

export type EventPiece = Exclude<Piece, { readonly kind: 'catalogue' }>;
export type CataloguePiece = Extract<Piece, { readonly kind: 'catalogue' }>;

export const catalogueFromMs = Date.UTC(2025, 0, 1);

export async function eventsOf(piece: EventPiece): Promise<EventSource> {
  if (piece.kind === 'uci') return await openUciOnlineRetail(piece.path);
  const sample = await productsOf(await openSample(catalogueFromMs));
  const stream = new InteractionStream(sample, { users: 500, eventsPerDay: 9_600, startMs: catalogueFromMs });
  return generatedSource(stream, { from: piece.minute, events: piece.events });
}

export async function versionsOf({ updatedAtMs, changes }: CataloguePiece): Promise<readonly Product[]> {
  const sample = await productsOf(await openSample(changes ? catalogueFromMs : updatedAtMs));
  return changes ? laterVersions(sample, updatedAtMs) : sample;
}

/** As an acknowledgement names it. */
export function versionName({ id, updatedAt }: Pick<Product, 'id' | 'updatedAt'>): string {
  return `${id} ${updatedAt}`;
}

/** Ids of all events, and names of all versions, of the pieces. */
export async function namesOf(pieces: readonly Piece[]): Promise<{ events: string[]; versions: string[] }> {
  const events: string[] = [];
  const versions: string[] = [];
  for (const piece of pieces) {
    if (piece.kind === 'catalogue') versions.push(...(await versionsOf(piece)).map(versionName));
    else
      for await (const batch of (await eventsOf(piece)).batches())
        for (const { eventId } of batch.events) events.push(eventId);
  }
  return { events, versions };
}

/**
 * One list of them: an hour of generated events behind every fourth file; the catalogue first, and twice what changes in it.
 */
export function piecesAround(files: readonly string[]): Piece[] {
  const hourMs = 3_600_000;
  const catalogue = (at: number): Piece => ({
    ...{ name: `catalogue-${at}`, kind: 'catalogue', changes: at > 0 },
    updatedAtMs: catalogueFromMs + at * 6 * hourMs,
  });
  return files.flatMap((path, at) => {
    const pieces: Piece[] = [{ name: `file-${at}`, kind: 'uci', path }];
    if (at % 4 === 3) pieces.push({ name: `hour-${at}`, kind: 'generated', minute: at * 15, events: 500 });
    if (at % Math.ceil(files.length / 3) === 0) pieces.unshift(catalogue(Math.floor((3 * at) / files.length)));
    return pieces;
  });
}
