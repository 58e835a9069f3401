/**
 * Where a table lies: a folder on this machine, or a prefix of a bucket. The log asks for one thing that not every store
 * has: `putIfAbsent`, of which exactly one of several racing callers succeeds, and whose result is never seen half.
 * Paths are relative to the table, with `/`, decoded (log/uri-path.ts has the encoded form of the log).
 */
export interface Storage {
  /** For messages. */
  readonly location: string;
  /** The bytes of a file, undefined where there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** The files in a folder, in no order; those of its sub-folders too when `recursive`. A folder that is not there is empty. */
  list(folder: string, options?: ListOptions): Promise<StoredFile[]>;
  /** Creates a file, durable and whole, and says whether it was this call that did. False: one was there, it is as it was. */
  putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Creates or replaces a file, whole at every moment. */
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** A file to be written by something that can only write to this machine's disk (DuckDB). */
  create(path: string): Promise<NewFile>;
  /** A file as something that can only read this machine's disk sees it. Dispose of it after reading. */
  open(path: string): Promise<LocalFile>;
  /** Removes a file. One that is not there is no error. */
  remove(path: string): Promise<void>;
}

export interface ListOptions {
  readonly recursive?: boolean;
  /** Names, not paths, from this one on: what a store can leave out cheaply. Others may be given all the same. */
  readonly from?: string;
}

export interface StoredFile {
  /** Relative to the table. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

export interface NewFile {
  /** Where to write. Nothing is there yet; the folder is. */
  readonly localPath: string;
  /** Makes the file durable in its place and gives its size. */
  finish(): Promise<{ readonly bytes: number }>;
  /** The same under another name, at which it appears whole, in place of what was there. */
  finishAs(path: string): Promise<{ readonly bytes: number }>;
  /** Takes away what was written. */
  discard(): Promise<void>;
}

export interface LocalFile extends AsyncDisposable {
  readonly localPath: string;
}
