import { Buffer } from 'node:buffer';
import type { EmbeddedLog, FetchedRecord, TopicPartition } from '../../log/index.ts';
import {
  eventIdentity,
  interactionSerde,
  invalidInteraction,
  shopTopics,
  UserErasure,
  type ErasureStores,
} from '../../processors/index.ts';
import { type Interaction, type SchemaRegistry, type Serde } from '../../schemas/index.ts';
import type { BatchWriter, Engine, GroupCommit } from '../../state/index.ts';
import { ownTopicName, type EmbeddedRuntime, type KeyValueStore } from '../../topology/index.ts';
import type { EventIndex } from './event-index.ts';
import type { GenerationEntry } from './generations/generation-book.ts';
import type { Erased } from './messages.ts';

/**
 * Forgets users as if they had never been seen (docs/architecture/erasure.md).
 *
 *     catch up ─> stand still ─> read the log twice ─> change the stores ─> one commit, with a note of what is to do still
 *              ─> take their records out of the topics ─> the note goes
 *
 * A crash before the commit leaves everything as it was; after it, the note lets the next opening finish the topics, and
 * until then no replay of them happens. What the users send after the topology has caught up is new.
 */
export async function eraseUsers(users: readonly string[], parts: ErasureParts): Promise<Erased> {
  const { runtime, registry, partitions, index, generation } = parts;
  const { parameters } = generation;
  const serdes = await eventSerdes(registry);
  await runtime.caughtUp();
  const holder: { note?: ErasureNote; events: number } = { events: 0 };
  await runtime.standStill(async () => {
    const erasure = new UserErasure(new Set(users), { partitions, parameters });
    const note = { users, ends: await endsOf(parts) };
    const names = namesOf(users);
    const ids: string[] = [];
    for (let partition = 0; partition < partitions; partition += 1) {
      for await (const event of cleanEvents(parts, partition, serdes.clean, names)) {
        if (erasure.isOfUsers(event)) erasure.take(event, partition);
      }
    }
    const refused = await refusedEvents(parts, erasure, { serde: serdes.raw, names, ends: note.ends, ids });
    for (let partition = 0; partition < partitions; partition += 1) {
      for await (const event of cleanEvents(parts, partition, serdes.clean)) erasure.see(event, partition);
    }
    await erasure.apply(storesOf(runtime), refused);
    holder.note = note;
    holder.events = erasure.events;
    return (writer) => {
      writer.put('meta', noteKey, Buffer.from(JSON.stringify(note)));
      index.stageRemoval(writer, ids);
    };
  });
  return { events: holder.events, deadLetters: await finishErasure(holder.note!, parts) };
}

/** Takes up an erasure that a crash has cut off behind its commit. */
export async function resumeErasure(parts: ErasureParts): Promise<void> {
  const [note] = await parts.engine.getMany('meta', [noteKey]);
  if (note !== undefined) await finishErasure(JSON.parse(Buffer.from(note).toString()) as ErasureNote, parts);
}

export interface ErasureParts {
  readonly engine: Engine;
  readonly commits: GroupCommit;
  readonly runtime: EmbeddedRuntime;
  readonly log: EmbeddedLog;
  readonly registry: SchemaRegistry;
  readonly index: EventIndex;
  readonly partitions: number;
  /** The only one there is. */
  readonly generation: GenerationEntry;
}

/** What is still to be taken out of the topics: records of these users below these offsets. */
interface ErasureNote {
  readonly users: readonly string[];
  readonly ends: readonly (TopicPartition & { readonly offset: number })[];
}

async function eventSerdes(registry: SchemaRegistry) {
  const [raw, clean] = await Promise.all([
    interactionSerde(registry, shopTopics.interactions),
    interactionSerde(registry, shopTopics.clean),
  ]);
  return { raw, clean };
}

/** Gives how many dead letters went. */
async function finishErasure({ users, ends }: ErasureNote, parts: ErasureParts): Promise<number> {
  const { log, registry, commits } = parts;
  const names = namesOf(users);
  const of = new Set(users);
  const { raw, clean } = await eventSerdes(registry);
  let deadLetters = 0;
  for (const { topic, partition, offset } of ends) {
    // Dead letters are of the topic that they were refused from, or were never encoded.
    const serde = isOf(topic, shopTopics.clean) ? clean : raw;
    const removed = await log.removeRecords(
      { topic, partition },
      {
        belowOffset: offset,
        mayHold: (batch) => holdsAny(batch, names),
        removes: ({ value }) => value !== null && holdsAny(value, names) && of.has(userOf(value, serde) ?? ''),
      },
    );
    if (isOf(topic, shopTopics.deadLetter)) deadLetters += removed;
  }
  await commits.submit((writer: BatchWriter) => writer.delete('meta', noteKey));
  return deadLetters;
}

/** Source topics as far as they have been processed, the others to their ends, those of the generation's own too. */
async function endsOf({ log, runtime, generation }: ErasureParts): Promise<ErasureNote['ends']> {
  const { interactions, clean, deadLetter } = shopTopics;
  const consumed = runtime.committedOffsets.filter(({ topic }) => topic === interactions);
  const written = [clean, deadLetter].flatMap((topic) => [topic, ownTopicName(generation.applicationId, topic)]);
  const others = (await log.topics())
    .filter(({ name }) => written.includes(name))
    .flatMap(({ name, partitions }) => [...partitionsOf(name, partitions)]);
  return [...consumed, ...others.map((of) => ({ ...of, offset: log.endOffset(of) }))];
}

/** The topic itself, or a generation's own of its kind. */
function isOf(topic: string, kind: string): boolean {
  return topic === kind || topic.endsWith(`-${kind}`);
}

/** What the generation has accepted in a partition, wherever it stood when it did. */
async function* cleanEvents(
  { log, generation }: ErasureParts,
  partition: number,
  serde: Serde<Interaction>,
  names?: readonly Buffer[],
): AsyncIterable<Interaction> {
  for (const { topic, from, to } of generation.clean) {
    const of = { topic, partition };
    const range = { from: from[partition] ?? 0, end: to === null ? log.committedEnd(of) : (to[partition] ?? 0) };
    yield* eventsIn(log, of, serde, { names, ...range });
  }
}

/** Events of the users that were never accepted, by partition; `ids` gets the identities of all they have sent. */
async function refusedEvents(
  { log, partitions, generation }: ErasureParts,
  erasure: UserErasure,
  of: { serde: Serde<Interaction>; names: readonly Buffer[]; ends: ErasureNote['ends']; ids: string[] },
) {
  const refused = erasure.accepted.map((accepted) => ({ duplicates: -accepted, invalid: 0 }));
  for (const at of partitionsOf(shopTopics.interactions, partitions)) {
    const end = of.ends.find(({ topic, partition }) => topic === at.topic && partition === at.partition)!.offset;
    const start = generation.startOffsets.find((other) => other.topic === at.topic && other.partition === at.partition);
    // Events before the generation began are nothing to it, but they go too.
    for await (const event of eventsIn(log, at, of.serde, { names: of.names, from: 0, end: start?.offset ?? 0 })) {
      if (erasure.isOfUsers(event)) of.ids.push(eventIdentity(event));
    }
    for await (const event of eventsIn(log, at, of.serde, { names: of.names, from: start?.offset ?? 0, end })) {
      if (!erasure.isOfUsers(event)) continue;
      of.ids.push(eventIdentity(event));
      if (invalidInteraction(event) !== undefined) refused[at.partition]!.invalid += 1;
      else refused[at.partition]!.duplicates += 1;
    }
  }
  return refused;
}

async function* eventsIn(
  log: EmbeddedLog,
  of: TopicPartition,
  serde: Serde<Interaction>,
  { names, from, end }: { readonly names?: readonly Buffer[] | undefined; readonly from: number; readonly end: number },
): AsyncIterable<Interaction> {
  for (let offset = Math.max(from, log.logStart(of)); offset < end;) {
    const { records, nextOffset } = await log.read(of, offset, { maxRecords: 10_000, maxBytes: 8 * 1024 * 1024 });
    for (const record of records) {
      if (record.offset >= end) return;
      if (record.value === null || (names !== undefined && !holdsAny(record.value, names))) continue;
      const event = decoded(record, serde);
      if (event !== undefined) yield event;
    }
    if (nextOffset === offset) return;
    offset = nextOffset;
  }
}

/** undefined: no interaction; such a record is in the dead letters, and no event of anybody's. */
function decoded({ value }: FetchedRecord, serde: Serde<Interaction>): Interaction | undefined {
  try {
    return serde.deserialize(value!);
  } catch {
    return undefined;
  }
}

/** Whose a record is: an interaction as it is in the log, or JSON as it came over HTTP or from a file. */
function userOf(value: Uint8Array, serde: Serde<Interaction>): string | null {
  for (const read of [() => serde.deserialize(value), () => JSON.parse(Buffer.from(value).toString()) as unknown]) {
    try {
      const { userId } = read() as { readonly userId?: unknown };
      if (typeof userId === 'string') return userId;
    } catch {
      // It is the other, or neither.
    }
  }
  return null;
}

/** How their ids stand in records: as they are, and as JSON writes them. */
function namesOf(users: readonly string[]): Buffer[] {
  return [...new Set(users.flatMap((user) => [user, JSON.stringify(user).slice(1, -1)]))].map((name) =>
    Buffer.from(name),
  );
}

function holdsAny(bytes: Uint8Array, names: readonly Buffer[]): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return names.some((name) => buffer.includes(name));
}

function* partitionsOf(topic: string, partitions: number): Iterable<TopicPartition> {
  for (let partition = 0; partition < partitions; partition += 1) yield { topic, partition };
}

function storesOf(runtime: EmbeddedRuntime): ErasureStores {
  return {
    get: <K, V>(name: string, partition: number) =>
      runtime.stores(name).find((store) => store.partition === partition) as KeyValueStore<K, V>,
  };
}

const noteKey = Buffer.from('erasure');
