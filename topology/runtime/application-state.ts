import type { BatchWriter, Engine } from '../../state/index.ts';
import type { TaskState } from './task.ts';

/**
 * What the data folder remembers of an application besides its stores and offsets, in the meta family:
 *
 *     | "topology/" application id "/fingerprint" |      → canonical JSON of the topology's fingerprint
 *     | "topology/" application id "/store/" name |      → store id u32
 *     | "topology/" application id "/task/" task id |    → TaskState as JSON: clocks and punctuation schedule
 *     | "topology/" application id "/changelog/" name |  → ChangelogPosition as JSON; none in the embedded system
 *     | "topology/" application id "/member" |           → id of the group's member; none in the embedded system
 */
export class ApplicationState {
  readonly applicationId: string;
  readonly #engine: Engine;
  readonly #prefix: string;

  constructor(engine: Engine, applicationId: string) {
    this.applicationId = applicationId;
    this.#engine = engine;
    this.#prefix = `topology/${applicationId}/`;
  }

  fingerprint(): Promise<string | undefined> {
    return this.#read('fingerprint');
  }

  stageFingerprint(writer: BatchWriter, fingerprint: string): void {
    writer.put('meta', this.#key('fingerprint'), Buffer.from(fingerprint));
  }

  async task(id: string): Promise<TaskState | undefined> {
    const text = await this.#read(`task/${id}`);
    return text === undefined ? undefined : (JSON.parse(text) as TaskState);
  }

  /** `state` as JSON, or its bytes. */
  stageTask(writer: BatchWriter, id: string, state: TaskState | Uint8Array): void {
    const bytes = state instanceof Uint8Array ? state : Buffer.from(JSON.stringify(state));
    writer.put('meta', this.#key(`task/${id}`), bytes);
  }

  async changelogPosition(name: string): Promise<ChangelogPosition | undefined> {
    return (await this.changelogPositions([name]))[0];
  }

  async changelogPositions(names: readonly string[]): Promise<(ChangelogPosition | undefined)[]> {
    const keys = names.map((name) => this.#key(`changelog/${name}`));
    const rows = await this.#engine.getMany('meta', keys);
    return rows.map((bytes) => bytes && (JSON.parse(Buffer.from(bytes).toString()) as ChangelogPosition));
  }

  stageChangelogPosition(writer: BatchWriter, name: string, position: ChangelogPosition): void {
    writer.put('meta', this.#key(`changelog/${name}`), Buffer.from(JSON.stringify(position)));
  }

  async storeId(name: string): Promise<number | undefined> {
    const text = await this.#read(`store/${name}`);
    return text === undefined ? undefined : Number(text);
  }

  /** Of the group, the last that this folder has been. */
  memberId(): Promise<string | undefined> {
    return this.#read('member');
  }

  stageMemberId(writer: BatchWriter, memberId: string): void {
    writer.put('meta', this.#key('member'), Buffer.from(memberId));
  }

  /** Store ids are counted over all applications of the folder, for the prefixes share one family. */
  async nextStoreId(): Promise<number> {
    const text = (await this.#engine.getMany('meta', [Buffer.from('topology-next-store-id')]))[0];
    return text === undefined ? 1 : Number(Buffer.from(text).toString());
  }

  stageStoreIds(writer: BatchWriter, ids: ReadonlyMap<string, number>, nextId: number): void {
    for (const [name, id] of ids) writer.put('meta', this.#key(`store/${name}`), Buffer.from(String(id)));
    writer.put('meta', Buffer.from('topology-next-store-id'), Buffer.from(String(nextId)));
  }

  #key(name: string): Uint8Array {
    return Buffer.from(this.#prefix + name);
  }

  async #read(name: string): Promise<string | undefined> {
    const [bytes] = await this.#engine.getMany('meta', [this.#key(name)]);
    return bytes && Buffer.from(bytes).toString();
  }
}

/** How far local state has come in its changelog. */
export interface ChangelogPosition {
  /** The next record that it lacks. */
  readonly offset: number;
  readonly committedMs: number;
  /** Of the changelog; positions of earlier versions have none. */
  readonly topicId?: string;
}
