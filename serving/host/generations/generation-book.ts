import { defaultShopParameters, shopTopics, type ShopParameters } from '../../../processors/index.ts';
import type { BatchWriter, Engine } from '../../../state/index.ts';
import { ownTopicName } from '../../../topology/index.ts';
import type { SourceOffset } from '../messages.ts';

/**
 * What is known of the generations: one JSON value, written with what makes it true. A data folder has it in the meta family; without
 * it there is one generation, as in all that were made before there were replays. On a cluster it is a topic (shared-book.ts).
 *
 *     meta | "generations" | → GenerationBook
 */
export interface GenerationBook {
  /** Whose state answers are about, and who writes the topics that others know. */
  readonly active: number;
  /** Numbers are not given out twice. */
  readonly nextId: number;
  readonly generations: readonly GenerationEntry[];
  readonly handOver?: HandOver;
}

/** On a cluster, while generation `to` takes over: the active one is held (topology/distributed/source-gate.ts). */
export interface HandOver {
  readonly id: string;
  readonly to: number;
  /** Where its sources are held, when all its tasks have told: it reads what follows from that to its end, and is held there too. */
  readonly sources?: readonly SourceOffset[];
}

export interface GenerationEntry {
  readonly id: number;
  /** Names its stores, its own topics and its consumer group. */
  readonly applicationId: string;
  /** On a cluster: how often it has begun to read other topics than before, its own or those that others know. Each time in a new group. */
  readonly phase?: number;
  readonly parameters: ShopParameters;
  /** Where it began in the source topics; a partition that is not named: at the beginning. */
  readonly startOffsets: readonly SourceOffset[];
  /** 0: with the folder. */
  readonly createdMs: number;
  /** `replaying`: on its way to be active; `kept`: to go back to. At most one replays. */
  readonly state: 'active' | 'replaying' | 'kept';
  /** Where its accepted events are, in their order (`interactions.clean`). */
  readonly clean: readonly CleanSegment[];
  /** Since when it is active, or was last, and from which offsets of the source topics on it says what others hear. */
  readonly activated?: { readonly atMs: number; readonly offsets: readonly SourceOffset[] };
}

/** Offsets `[from, to)` of a topic by partition, 0 where there is none; null: up to its end, it goes on there. */
export interface CleanSegment {
  readonly topic: string;
  readonly from: readonly number[];
  readonly to: readonly number[] | null;
}

export const firstApplicationId = 'shop';

/** What a folder begins with. */
export const firstGeneration: GenerationEntry = {
  id: 1,
  applicationId: firstApplicationId,
  parameters: defaultShopParameters,
  startOffsets: [],
  createdMs: 0,
  state: 'active',
  clean: [{ topic: shopTopics.clean, from: [], to: null }],
};

/** `shopId`: the application id of the first generation, which the others' follow from. */
export function firstBook(shopId: string): GenerationBook {
  return { active: 1, nextId: 2, generations: [{ ...firstGeneration, applicationId: shopId }] };
}

export async function readGenerationBook(engine: Engine): Promise<GenerationBook> {
  const [bytes] = await engine.getMany('meta', [bookKey]);
  if (bytes === undefined) return firstBook(firstApplicationId);
  return withDefaults(JSON.parse(Buffer.from(bytes).toString()) as GenerationBook);
}

/** Parameters that came later than a book have their defaults. */
export function withDefaults(book: GenerationBook): GenerationBook {
  const withParameters = (entry: GenerationEntry): GenerationEntry => ({
    ...entry,
    parameters: { ...defaultShopParameters, ...entry.parameters },
  });
  return { ...book, generations: book.generations.map(withParameters) };
}

export function stageGenerationBook(writer: BatchWriter, book: GenerationBook): void {
  writer.put('meta', bookKey, Buffer.from(JSON.stringify(book)));
}

const bookKey = Buffer.from('generations');

export function activeEntry(book: GenerationBook): GenerationEntry {
  return book.generations.find(({ id }) => id === book.active)!;
}

/** The book with one more generation, which replays. */
export function withReplay(
  book: GenerationBook,
  of: Pick<GenerationEntry, 'parameters' | 'startOffsets'> & { readonly atMs: number; readonly shopId?: string },
): { readonly book: GenerationBook; readonly entry: GenerationEntry } {
  const { parameters, startOffsets, atMs, shopId = firstApplicationId } = of;
  const id = book.nextId;
  const applicationId = `${shopId}.g${id}`;
  const clean = [{ topic: ownTopicName(applicationId, shopTopics.clean), from: [], to: null }];
  const state = 'replaying' as const;
  const entry: GenerationEntry = { id, applicationId, parameters, startOffsets, createdMs: atMs, state, clean };
  return { book: { ...book, nextId: id + 1, generations: [...book.generations, entry] }, entry };
}

/** The book in which a kept generation catches up, in topics of its own that end at `ownEnds` now. */
export function withReturn(book: GenerationBook, id: number, ownEnds: readonly number[]): GenerationBook {
  return changed(book, id, (entry) => {
    const topic = ownTopicName(entry.applicationId, shopTopics.clean);
    return { ...entry, state: 'replaying', clean: [...entry.clean, { topic, from: ownEnds, to: null }] };
  });
}

/** The book behind a hand-over: the replaying generation goes on in the topic that others know. */
export function withHandOver(
  book: GenerationBook,
  of: {
    readonly to: number;
    readonly atMs: number;
    readonly offsets: readonly SourceOffset[];
    readonly ownEnds: readonly number[];
    readonly publicEnds: readonly number[];
  },
): GenerationBook {
  const { to, atMs, offsets, ownEnds, publicEnds } = of;
  const left = changed(book, book.active, (entry) => ({
    ...entry,
    state: 'kept',
    clean: closed(entry.clean, publicEnds),
  }));
  const taken = changed(left, to, (entry) => ({
    ...entry,
    state: 'active',
    activated: { atMs, offsets },
    clean: [...closed(entry.clean, ownEnds), { topic: shopTopics.clean, from: publicEnds, to: null }],
  }));
  return { ...taken, active: to };
}

export function withoutGeneration(book: GenerationBook, id: number): GenerationBook {
  return { ...book, generations: book.generations.filter((entry) => entry.id !== id) };
}

function closed(segments: readonly CleanSegment[], ends: readonly number[]): readonly CleanSegment[] {
  return segments.map((segment) => (segment.to === null ? { ...segment, to: ends } : segment));
}

function changed(
  book: GenerationBook,
  id: number,
  change: (entry: GenerationEntry) => GenerationEntry,
): GenerationBook {
  return { ...book, generations: book.generations.map((entry) => (entry.id === id ? change(entry) : entry)) };
}
