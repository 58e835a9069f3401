import { stageTopicRemoval } from '../../log/index.ts';
import { prefixEnd, WriteBatchBuilder, type BatchWriter, type Engine, type GroupCommit } from '../../state/index.ts';
import type { EmbeddedLog } from '../../log/index.ts';

export interface ApplicationReset {
  readonly applicationId: string;
  /** Topics whose records come from outside; all others are made again from them. */
  readonly keptTopics: readonly string[];
}

/**
 * Forgets everything that an application has derived, in one atomic batch: its stores, clocks and fingerprint, its
 * offsets, and every topic but the kept ones. The next start computes it anew from the kept topics (as Kafka Streams
 * after its reset tool). For migrations: neither log nor topology may be open over the database. Doing it twice is
 * doing it once.
 */
export async function resetApplication(engine: Engine, { applicationId, keptTopics }: ApplicationReset): Promise<void> {
  const batch = new WriteBatchBuilder();
  (await stagedStateRemoval(engine, applicationId))(batch);
  await stageTopicRemoval(engine, batch, { removes: (topic) => !keptTopics.includes(topic), group: applicationId });
  batch.seal();
  await engine.write(batch, { sync: true });
}

/**
 * Forgets an application that does not run, in one write, while others do: its stores, clocks, fingerprint and offsets, and
 * the topics of its own, `<application id>-…`. What `also` writes is durable with it.
 */
export async function removeApplication(
  { engine, log }: { readonly engine: Engine; readonly log: EmbeddedLog },
  applicationId: string,
  also?: (writer: BatchWriter) => void,
): Promise<void> {
  const removeState = await stagedStateRemoval(engine, applicationId);
  const removes = (topic: string) => topic.startsWith(`${applicationId}-`);
  await log.removeTopics({ removes, group: applicationId }, (writer) => {
    removeState(writer);
    also?.(writer);
  });
}

/** Forgets what a database has of applications that are no more: stores, clocks and fingerprint. Their topics are not its own. */
export async function removeApplicationState(
  { engine, commits }: { readonly engine: Engine; readonly commits: GroupCommit },
  removes: (applicationId: string) => boolean,
): Promise<void> {
  for (const applicationId of await applicationIds(engine)) {
    if (!removes(applicationId)) continue;
    await commits.submit(await stagedStateRemoval(engine, applicationId));
  }
}

async function applicationIds(engine: Engine): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  const all = Buffer.from('topology/');
  for await (const chunk of engine.range('meta', { gte: all, lt: prefixEnd(all) })) {
    for (const { key } of chunk) ids.add(Buffer.from(key).toString().split('/')[1]!);
  }
  return ids;
}

async function stagedStateRemoval(engine: Engine, applicationId: string): Promise<(writer: BatchWriter) => void> {
  const ids: Buffer[] = [];
  const stores = Buffer.from(`topology/${applicationId}/store/`);
  for await (const chunk of engine.range('meta', { gte: stores, lt: prefixEnd(stores) })) {
    for (const { value } of chunk) {
      const id = Buffer.alloc(4);
      id.writeUInt32BE(Number(Buffer.from(value).toString()));
      ids.push(id);
    }
  }
  return (writer) => {
    for (const id of ids) writer.deleteRange('state', id, prefixEnd(id));
    // Not the next store id, which counts over all applications: an id is never given out twice.
    const application = Buffer.from(`topology/${applicationId}/`);
    writer.deleteRange('meta', application, prefixEnd(application));
  };
}
