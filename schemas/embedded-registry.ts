/**
 * The schema registry of the embedded system: small files in the data folder.
 *
 *     schemas/ids/7.json                                  { "id": 7, "schema": … }              never changes
 *     schemas/subjects/interactions-value/1.json          { "version": 1, "id": 7 }             never changes
 *     schemas/subjects/interactions-value/compatibility.json    { "compatibility": "FULL" }     replaced as a whole
 *
 * Several instances, in several threads or processes, may share the folder with no lock that a killed process could
 * leave behind. A file is written under a temporary name, synced, and then *linked* to its final name, which fails if
 * that name is taken: so an id or a version is given once, and a file that can be seen is whole. Who loses the race
 * looks again (the winner's schema may be the same one, or may change what is compatible) and tries the next number.
 * A crash between the two links leaves an id that no subject uses, which is harmless.
 *
 * The folder needs hard links: ext4, xfs, btrfs, APFS and NTFS have them, FAT has not.
 */
import { mkdir, open, readdir, readFile, rename, link, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalText, parseAvro } from './avro-type.ts';
import { incompatibilities, ruleOf } from './compatibility.ts';
import { MillraceError } from './errors.ts';
import type { AvroSchema, Compatibility, IdentifiedSchema, RegisteredSchema, SchemaRegistry } from './registry.ts';

/** Opens (and on first use makes) the registry under `<dataFolder>/schemas`. It holds no open files. */
export async function openEmbeddedRegistry(dataFolder: string): Promise<SchemaRegistry> {
  const registry = new EmbeddedRegistry(join(dataFolder, 'schemas'));
  await registry.makeFolders();
  return registry;
}

interface StoredVersion {
  readonly version: number;
  readonly id: number;
}

class EmbeddedRegistry implements SchemaRegistry {
  readonly #ids: string;
  readonly #subjects: string;
  /** Files of ids never change, so what was read once stays read. */
  readonly #byId = new Map<number, IdentifiedSchema>();

  constructor(folder: string) {
    this.#ids = join(folder, 'ids');
    this.#subjects = join(folder, 'subjects');
  }

  async makeFolders(): Promise<void> {
    await mkdir(this.#ids, { recursive: true });
    await mkdir(this.#subjects, { recursive: true });
  }

  async register(subject: string, schema: AvroSchema): Promise<RegisteredSchema> {
    if (subject === '') throw new MillraceError('INVALID_ARGUMENT', 'Subject wants a name, found none', { subject });
    parseAvro(schema, subject);
    const text = canonicalText(schema);
    const folder = this.#folderOf(subject);
    await mkdir(folder, { recursive: true });
    for (;;) {
      const versions = await this.versions(subject);
      const equal = versions.find((version) => canonicalText(version.schema) === text);
      if (equal !== undefined) return equal;
      checkCompatible(subject, schema, { versions, rule: await this.compatibility(subject) });
      const id = await this.#idFor(schema, text);
      const version = (versions.at(-1)?.version ?? 0) + 1;
      const stored: StoredVersion = { version, id };
      if (await createOnce(folder, `${version}.json`, stored)) return { id, subject, version, schema };
    }
  }

  async #idFor(schema: AvroSchema, text: string): Promise<number> {
    for (;;) {
      const ids = await numbersIn(this.#ids);
      for (const id of ids) {
        if (canonicalText((await this.#stored(id))!.schema) === text) return id;
      }
      const id = (ids.at(-1) ?? 0) + 1;
      const stored: IdentifiedSchema = { id, schema };
      if (await createOnce(this.#ids, `${id}.json`, stored)) return id;
    }
  }

  async byId(id: number): Promise<IdentifiedSchema> {
    const stored = Number.isSafeInteger(id) && id > 0 ? await this.#stored(id) : undefined;
    if (stored !== undefined) return stored;
    throw new MillraceError('SCHEMA_NOT_FOUND', `No schema with id ${id} under ${this.#ids}`, { id });
  }

  async latest(subject: string): Promise<RegisteredSchema | undefined> {
    return (await this.versions(subject)).at(-1);
  }

  async versions(subject: string): Promise<readonly RegisteredSchema[]> {
    const folder = this.#folderOf(subject);
    const versions: RegisteredSchema[] = [];
    for (const version of await numbersIn(folder)) {
      const path = join(folder, `${version}.json`);
      const { id } = (await readJson<StoredVersion>(path))!;
      const stored = await this.#stored(id);
      if (stored === undefined) {
        throw new MillraceError(
          'DATA_FOLDER_CORRUPT',
          `${path} names schema id ${id}, which is not under ${this.#ids}`,
          {
            subject,
            version,
            id,
          },
        );
      }
      versions.push({ id, subject, version, schema: stored.schema });
    }
    return versions;
  }

  async subjects(): Promise<readonly string[]> {
    const names: string[] = [];
    for (const name of await readdir(this.#subjects)) {
      if ((await numbersIn(join(this.#subjects, name))).length > 0) names.push(decodeURIComponent(name));
    }
    return names.sort();
  }

  async compatibility(subject: string): Promise<Compatibility> {
    const path = join(this.#folderOf(subject), 'compatibility.json');
    return (await readJson<{ readonly compatibility: Compatibility }>(path))?.compatibility ?? 'BACKWARD';
  }

  async setCompatibility(subject: string, compatibility: Compatibility): Promise<void> {
    const folder = this.#folderOf(subject);
    await mkdir(folder, { recursive: true });
    const temporary = await writeTemporary(folder, { compatibility });
    await rename(temporary, join(folder, 'compatibility.json'));
    await syncFolder(folder);
  }

  async #stored(id: number): Promise<IdentifiedSchema | undefined> {
    const known = this.#byId.get(id) ?? (await readJson<IdentifiedSchema>(join(this.#ids, `${id}.json`)));
    if (known !== undefined) this.#byId.set(id, known);
    return known;
  }

  /** Capitals and what file systems mind are percent-encoded, so that two subjects never share a folder. */
  #folderOf(subject: string): string {
    const encode = (text: string) =>
      Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    return join(this.#subjects, subject.replace(/^\.|[^a-z0-9._-]/gu, encode));
  }
}

function checkCompatible(
  subject: string,
  schema: AvroSchema,
  { versions, rule }: { readonly versions: readonly RegisteredSchema[]; readonly rule: Compatibility },
): void {
  const { backward, forward, transitive } = ruleOf(rule);
  const next = parseAvro(schema, subject);
  for (const earlier of transitive ? versions : versions.slice(-1)) {
    const type = parseAvro(earlier.schema, subject);
    const problem =
      (backward ? incompatibilities(next, type)[0] : undefined) ??
      (forward ? incompatibilities(type, next)[0] : undefined);
    if (problem === undefined) continue;
    const { field } = problem;
    throw new MillraceError(
      'SCHEMA_INCOMPATIBLE',
      `Schema for subject '${subject}' breaks ${rule} against version ${earlier.version}: ` +
        `${field === '' ? 'its root' : `field '${field}'`} ${problem.problem}`,
      { subject, rule, field, version: earlier.version },
    );
  }
}

/** The numbers that name files in a folder, ascending; none when the folder is not there. */
async function numbersIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  return names
    .map((name) => Number(/^(\d+)\.json$/.exec(name)?.[1]))
    .filter((number) => number > 0)
    .sort((a, b) => a - b);
}

async function readJson<T>(path: string): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new MillraceError('DATA_FOLDER_CORRUPT', `${path} is not JSON`, { path }, { cause });
  }
}

/** True when the file was made, false when another was first. */
async function createOnce(folder: string, name: string, content: object): Promise<boolean> {
  const temporary = await writeTemporary(folder, content);
  try {
    await link(temporary, join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(temporary);
  }
  await syncFolder(folder);
  return true;
}

async function writeTemporary(folder: string, content: object): Promise<string> {
  const path = join(folder, `.${crypto.randomUUID()}.tmp`);
  await using file = await open(path, 'wx');
  await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
  await file.sync();
  return path;
}

/** A new name survives power loss once its folder is synced; Windows has no such call and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using handle = await open(folder, 'r');
  await handle.sync();
}
