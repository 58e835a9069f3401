import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { MillraceError } from '../schemas/index.ts';

const chunkSize = 256 * 1024;

/** The bytes of a source, decompressed, with the count of bytes as stored that were read for them so far. */
export interface SourceBytes {
  readonly name: string;
  bytesRead(): number;
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
}

/** @throws MillraceError `SOURCE_UNREADABLE` when there is no such file, or it cannot be looked at. */
export async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message;
    const file = basename(path);
    throw new MillraceError('SOURCE_UNREADABLE', `Cannot read '${file}': ${why}`, { file }, { cause });
  }
}

/** A file: plain, or compressed as its name ends (`.gz`, `.br`). */
export function fileBytes(path: string): SourceBytes {
  const name = basename(path);
  const file = createReadStream(path, { highWaterMark: chunkSize });
  return { name, bytesRead: () => file.bytesRead, chunks: () => readable(decompressed(file, path), name) };
}

/** The first line that is not blank, without its end and a byte-order mark; at most 64 KiB. Empty when there is none. */
export async function firstLine(path: string): Promise<string> {
  let read = '';
  for await (const chunk of fileBytes(path).chunks()) {
    read += Buffer.from(chunk).toString('latin1');
    if (read.length >= firstLineBytesMax || /\S[^\n]*\n/.test(read)) break;
  }
  const text = Buffer.from(read.slice(0, firstLineBytesMax), 'latin1').toString();
  const [line = ''] = text.replace(/^\ufeff?(?:\s*\n)?/, '').split('\n', 1);
  return line.replace(/\r$/, '');
}

const firstLineBytesMax = 64 * 1024;

/** A stream of plain bytes. */
export function streamBytes(stream: Readable, name: string): SourceBytes {
  let bytesRead = 0;
  async function* counted() {
    for await (const chunk of readable(stream, name)) {
      bytesRead += chunk.length;
      yield chunk;
    }
  }
  return { name, bytesRead: () => bytesRead, chunks: counted };
}

function decompressed(file: Readable, path: string): Readable {
  const decoder = path.endsWith('.gz')
    ? createGunzip({ chunkSize })
    : path.endsWith('.br')
      ? createBrotliDecompress({ chunkSize })
      : undefined;
  // The error reaches whoever iterates the decoder: pipeline destroys it with the file's error.
  return decoder === undefined ? file : pipeline(file, decoder, () => {});
}

async function* readable(stream: Readable, name: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of stream as AsyncIterable<unknown>) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError(`wants a stream of bytes, found ${typeof chunk}`);
      yield chunk;
    }
  } catch (cause) {
    const why = (cause as Error).message;
    throw new MillraceError('SOURCE_UNREADABLE', `Cannot read '${name}': ${why}`, { file: name }, { cause });
  }
}
