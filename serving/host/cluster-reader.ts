import { isMillraceError, MillraceError } from '../../schemas/index.ts';
import type { Host, TaskOwner } from '../../topology/index.ts';
import type { Answers, SourceOffset } from './messages.ts';
import { mergedPages } from './store-range.ts';
import { storesOf, type AnswerHere, type Query, type QueryOf, type StoreReader } from './store-reader.ts';
import { mergedSearches } from './title-search.ts';

/** Asks another instance for what its own partitions say. */
export type AskPeer = (url: string, query: Query, stale: boolean) => Promise<AnswerHere>;

/**
 * Answers for every key, whichever instance has it (Kafka Streams' interactive queries). An instance asks its own partitions and,
 * for the tasks that are not here, their owners: each once, and those ask nobody. Every part says which tasks' state it read, so
 * what the group has moved meanwhile is found out, not missed.
 *
 *     query ─> tasks it wants ─┬─> here ─────────────────────┬─> all tasks answered? ─> one answer
 *                              └─> owners of the others ─────┘          └─ no: REBALANCING
 *
 * Each part is of one commit of its tasks, the whole is not.
 */
export class ClusterReader {
  readonly #reader: StoreReader;
  readonly #owners: () => readonly TaskOwner[];
  readonly #askPeer: AskPeer;

  constructor(reader: StoreReader, owners: () => readonly TaskOwner[], askPeer: AskPeer) {
    this.#reader = reader;
    this.#owners = owners;
    this.#askPeer = askPeer;
  }

  /**
   * As `ask`; where that cannot be answered now, from standbys, which may lack what their tasks have committed since, and say how much.
   * @throws MillraceError `REBALANCING` where a task has no standby that can be reached either
   */
  async askStale<K extends Query['kind']>(query: QueryOf<K>): Promise<AnswerHere<K>> {
    try {
      return await this.ask(query);
    } catch (error) {
      if (!isMillraceError(error, 'REBALANCING')) throw error;
    }
    const wanted = this.#wanted(query);
    const parts: AnswerHere<K>[] = [await this.#reader.ask<K>(query, true)];
    const missing = () => wanted.filter(({ taskId }) => !parts.some(({ tasks }) => tasks.includes(taskId)));
    const urls = new Set(
      missing().flatMap(({ active, standbys }) => [active, ...standbys].flatMap((host) => remote(host) ?? [])),
    );
    const told = await Promise.allSettled([...urls].map((url) => this.#askPeer(url, query, true)));
    for (const answer of told) if (answer.status === 'fulfilled') parts.push(answer.value as AnswerHere<K>);
    const [first] = missing();
    if (first !== undefined) throw rebalancing(first.taskId);
    return this.#merged(query, parts);
  }

  /** @throws MillraceError `REBALANCING` while a task that is wanted is nobody's, or its owner does not answer for it yet */
  async ask<K extends Query['kind']>(query: QueryOf<K>): Promise<AnswerHere<K>> {
    return await this.#ask<K>(query, this.#wanted(query));
  }

  /** Resolves when every task of the topology answers. @throws MillraceError `REBALANCING` while one does not */
  async allAnswer(): Promise<void> {
    await this.#ask<'getMany'>({ kind: 'getMany', keys: [] }, this.#owners());
  }

  async #ask<K extends Query['kind']>(query: QueryOf<K>, wanted: readonly TaskOwner[]): Promise<AnswerHere<K>> {
    const here = await this.#reader.ask<K>(query);
    const answered = new Set(here.tasks);
    const missing = wanted.filter(({ taskId }) => !answered.has(taskId));
    if (missing.length === 0) return here;
    const urls = new Set(missing.map((task) => urlOf(task)));
    const parts = await Promise.all([...urls].map((url) => this.#askPeer(url, query, false)));
    for (const { tasks } of parts) for (const task of tasks) answered.add(task);
    for (const { taskId } of missing) if (!answered.has(taskId)) throw rebalancing(taskId);
    return this.#merged(query, [here, ...(parts as AnswerHere<K>[])]);
  }

  #wanted(query: Query): readonly TaskOwner[] {
    const subtopologies = new Set(storesOf(query).map((store) => this.#reader.subtopologyOf(store)));
    const owners = this.#owners().filter(({ subtopology }) => subtopologies.has(subtopology));
    return query.kind === 'scan' ? owners.filter(({ partition }) => partition === query.partition) : owners;
  }

  #merged<K extends Query['kind']>(query: QueryOf<K>, parts: readonly AnswerHere<K>[]): AnswerHere<K> {
    const asOf = mergedOffsets(parts.map((part) => part.asOf));
    const tasks = [...new Set(parts.flatMap((part) => part.tasks))];
    const standbys = parts.flatMap((part) => part.standbys);
    return { answer: this.#answer(query, parts, asOf) as Answers[K], asOf, tasks, standbys };
  }

  #answer(query: Query, parts: readonly AnswerHere[], asOf: readonly SourceOffset[]): Answers[Query['kind']] {
    const answers = <K extends Query['kind']>() => parts.map(({ answer }) => answer as Answers[K]);
    switch (query.kind) {
      case 'get': {
        const found = answers<'get'>().find((answer) => answer.found);
        return { ...(found ?? answers<'get'>()[0]!), asOf };
      }
      case 'getMany': {
        const values = query.keys.map((_, at) => answers<'getMany'>().find((answer) => answer.values[at] !== null));
        return { values: values.map((answer, at) => answer?.values[at] ?? null), asOf };
      }
      case 'fetch':
        return joined(answers<'fetch'>());
      case 'scan': {
        const task = this.#wanted(query)[0]?.taskId ?? '';
        const part = parts.find(({ tasks }) => tasks.includes(task));
        return part!.answer as Answers['scan'];
      }
      case 'range':
        return { ...mergedPages(this.#reader.spec(query.store), answers<'range'>(), query.limit), asOf };
      case 'search':
        return { ...mergedSearches(answers<'search'>(), query.limit), asOf };
      case 'windows':
        return { found: answers<'windows'>().find(({ found }) => found !== null)?.found ?? null, asOf };
    }
  }
}

function remote(host: Host | undefined): string | undefined {
  return host?.isLocal === false ? host.url : undefined;
}

function urlOf({ taskId, active }: TaskOwner): string {
  const url = remote(active);
  if (url === undefined) throw rebalancing(taskId);
  return url;
}

function rebalancing(task: string): MillraceError {
  return new MillraceError('REBALANCING', `Task ${task} is changing hands: its state is on its way, try again.`, {
    task,
  });
}

/** The furthest that any part says of a partition, in the order of topics and partitions. */
export function mergedOffsets(parts: readonly (readonly SourceOffset[])[]): readonly SourceOffset[] {
  const furthest = new Map<string, SourceOffset>();
  for (const of of parts.flat()) {
    const place = `${of.topic}/${of.partition}`;
    if ((furthest.get(place)?.offset ?? -1) < of.offset) furthest.set(place, of);
  }
  return [...furthest.values()].toSorted(
    (a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0) || a.partition - b.partition,
  );
}

function joined(slices: readonly ArrayBuffer[]): ArrayBuffer {
  const bytes = Buffer.from(new ArrayBuffer(slices.reduce((sum, { byteLength }) => sum + byteLength, 0)));
  let at = 0;
  for (const slice of slices) {
    bytes.set(new Uint8Array(slice), at);
    at += slice.byteLength;
  }
  return bytes.buffer as ArrayBuffer;
}
