import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MillraceError } from '../../../schemas/errors.ts';
import { connectS3, type S3Client, type S3Options } from './s3-client.ts';
import type { ListOptions, LocalFile, NewFile, Storage, StoredFile } from './storage.ts';

/**
 * A table under a prefix of a bucket of S3, or of a server that speaks as it does.
 *
 * `putIfAbsent` is a PUT with `If-None-Match: *`. A server that does not know the condition would take every PUT, and two writers
 * would each believe to have made a version; so before the first one a key is put twice, and when the second is not refused
 * nothing is written at all. Such a PUT is not tried again here: its answer may have been lost, which the committer settles by
 * reading. Everything else is.
 *
 * DuckDB reads and writes files of this machine, so data files pass through a temporary folder.
 */
export class S3Folder implements Storage {
  readonly location: string;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  #probing: Promise<void> | undefined;

  private constructor(client: S3Client, bucket: string, prefix: string) {
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.location = `s3://${bucket}/${prefix}`;
  }

  /** @param url `s3://BUCKET/PREFIX` */
  static async open(url: string, options: S3Options = {}): Promise<S3Folder> {
    const match = /^s3a?:\/\/([^/]+)\/(.+?)\/*$/.exec(url);
    if (match === null) {
      throw new MillraceError('INVALID_ARGUMENT', `A table on S3 wants s3://BUCKET/PREFIX, found ${url}`, { url });
    }
    return new S3Folder(await connectS3(options, process.env), match[1]!, match[2]!);
  }

  /**
   * Whether the server keeps the promise of `putIfAbsent`. It is asked before the first write, or by a call of this at start.
   * @throws MillraceError `STORAGE_UNSUITABLE`, `STORAGE_FAILED`
   */
  async probe(): Promise<void> {
    this.#probing ??= this.#probe().catch((error: unknown) => {
      this.#probing = undefined;
      throw error;
    });
    await this.#probing;
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#retrying(path, async () => {
      const parts: Uint8Array[] = [];
      try {
        for await (const part of await this.#client.getObject(this.#bucket, this.#key(path))) parts.push(part);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
      return Buffer.concat(parts);
    });
  }

  async list(folder: string, { recursive = false, from = '' }: ListOptions = {}): Promise<StoredFile[]> {
    const prefix = folder === '' ? `${this.#prefix}/` : `${this.#key(folder)}/`;
    return this.#retrying(folder, async () => {
      const files: StoredFile[] = [];
      const startAfter = from === '' ? '' : `${prefix}${from}`;
      for await (const { name, size, lastModified } of this.#client.listObjectsV2(
        this.#bucket,
        prefix,
        recursive,
        startAfter,
      )) {
        if (name === undefined || name.endsWith('/')) continue;
        const path = name.slice(this.#prefix.length + 1);
        files.push({ path, bytes: size, modifiedAtMs: lastModified?.getTime() ?? 0 });
      }
      return files;
    });
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    await this.probe();
    return this.#putIfAbsent(path, bytes);
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.#retrying(path, () =>
      this.#client.putObject(this.#bucket, this.#key(path), Buffer.from(bytes), bytes.length, {}),
    );
  }

  async create(path: string): Promise<NewFile> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-s3-'));
    const localPath = join(folder, 'file');
    const discard = (): Promise<void> => rm(folder, { recursive: true, force: true });
    const finishAs = async (finalPath: string): Promise<{ readonly bytes: number }> => {
      const { size } = await stat(localPath);
      await this.#retrying(finalPath, () => this.#client.fPutObject(this.#bucket, this.#key(finalPath), localPath));
      await discard();
      return { bytes: size };
    };
    return { localPath, finish: () => finishAs(path), finishAs, discard };
  }

  async open(path: string): Promise<LocalFile> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-s3-'));
    const localPath = join(folder, 'file');
    const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
    try {
      await this.#retrying(path, () => this.#client.fGetObject(this.#bucket, this.#key(path), localPath));
      return { localPath, [Symbol.asyncDispose]: dispose };
    } catch (error) {
      await dispose();
      if (error instanceof MillraceError && isMissing(error.cause)) {
        const message = `The table ${this.location} has no file ${path}, which its log names`;
        throw new MillraceError('TABLE_CORRUPT', message, { table: this.location, path }, { cause: error });
      }
      throw error;
    }
  }

  async remove(path: string): Promise<void> {
    await this.#retrying(path, () => this.#client.removeObject(this.#bucket, this.#key(path)));
  }

  async #probe(): Promise<void> {
    const path = `_delta_log/.millrace-probe-${randomUUID()}.tmp`;
    const bytes = new TextEncoder().encode('Puts of Millrace must fail when the key is taken.');
    const [first, second] = [await this.#putIfAbsent(path, bytes), await this.#putIfAbsent(path, bytes)];
    await this.remove(path);
    if (first && !second) return;
    throw new MillraceError(
      'STORAGE_UNSUITABLE',
      `The server of ${this.location} takes no heed of If-None-Match: two writers could each make the same version, so nothing is written`,
      { table: this.location, first, second },
    );
  }

  async #putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#client.putObject(this.#bucket, this.#key(path), Buffer.from(bytes), bytes.length, {
          'If-None-Match': '*',
        });
        return true;
      } catch (error) {
        const code = codeOf(error);
        if (code === 'PreconditionFailed') return false;
        // Two conditional writes were under way at once, and this one was not carried out.
        if (code !== 'ConditionalRequestConflict' || attempt === attemptsMax) throw this.#failed(path, error);
        await pause(attempt);
      }
    }
  }

  async #retrying<T>(path: string, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (attempt === attemptsMax || !isPassing(error)) throw this.#failed(path, error);
        await pause(attempt);
      }
    }
  }

  #key(path: string): string {
    return `${this.#prefix}/${path}`;
  }

  #failed(path: string, error: unknown): MillraceError {
    const reason = error instanceof Error ? error.message || codeOf(error) : String(error);
    const facts = { table: this.location, path, s3: codeOf(error), passing: isPassing(error) };
    const message = `${path || 'The prefix'} of the table ${this.location} can't be read or written: ${reason}`;
    return new MillraceError('STORAGE_FAILED', message, facts, { cause: error });
  }
}

const attemptsMax = 6;

/** 25 ms, 50 ms, 100 ms … with chance in it, so that those who met once do not meet again. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 25 * 2 ** (attempt - 1) * (0.5 + Math.random())));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes(codeOf(error));
}

/** What may be otherwise in a moment: the connection, a server that is busy. A refusal stays one. */
function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  const refusals = ['NoSuchBucket', 'AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'EntityTooLarge'];
  if (/^E[A-Z]+$/.test(code)) return !['ENOENT', 'EACCES', 'ENOSPC'].includes(code);
  return !isMissing(error) && !refusals.includes(code) && !(error instanceof MillraceError);
}
