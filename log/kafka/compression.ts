import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import { MillraceError } from '../../schemas/errors.ts';

/**
 * The compression of record batches, by the ids that their attributes carry (KIP-110 for zstd).
 *
 * | name   | format on the wire                                         | done by                                          |
 * |--------|------------------------------------------------------------|--------------------------------------------------|
 * | gzip   | gzip                                                       | node:zlib                                        |
 * | snappy | read: xerial's frames, as Java writes them, or a bare block; written: a bare block | snappy                   |
 * | lz4    | LZ4 frames (KIP-57)                                        | lz4-napi                                         |
 * | zstd   | zstd frames                                                | node:zlib where it has zstd (22.15), else wasm-zstd |
 *
 * None of the packages needs an install script. They are loaded when a batch first needs them.
 */
export type CompressionName = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export interface Compression {
  readonly id: number;
  readonly name: CompressionName;
}

const names: readonly CompressionName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** @throws MillraceError `INVALID_ARGUMENT` with the names there are */
export function compressionOf(name: CompressionName): Compression {
  const id = names.indexOf(name);
  if (id >= 0) return { id, name };
  throw new MillraceError(
    'INVALID_ARGUMENT',
    `No compression '${String(name)}': one of ${names.join(', ')} was wanted`,
    {
      compression: String(name),
    },
  );
}

interface Codec {
  compress(bytes: Uint8Array): Uint8Array;
  decompress(bytes: Uint8Array): Uint8Array;
}

const codecs = new Map<string, Codec>();

export function compress({ name }: Compression, bytes: Uint8Array): Uint8Array {
  return codecOf(name).compress(bytes);
}

/** @throws MillraceError `DESERIALIZATION_FAILED` for an id that Kafka has not given out, or bytes that are no such frames */
export function decompress(id: number, bytes: Uint8Array, where: string): Uint8Array {
  const name = names[id];
  if (name === undefined) {
    throw new MillraceError('DESERIALIZATION_FAILED', `A record batch of ${where} has the unknown compression ${id}`, {
      where,
      compression: id,
    });
  }
  try {
    return codecOf(name).decompress(bytes);
  } catch (cause) {
    const message = `A record batch of ${where} does not decompress as ${name}`;
    throw new MillraceError('DESERIALIZATION_FAILED', message, { where, compression: name }, { cause });
  }
}

/** What has to be there before batches are read: WebAssembly loads asynchronously, batches are decoded synchronously. */
export async function loadZstd(): Promise<void> {
  if (codecs.has('zstd')) return;
  const native = zlib as unknown as {
    zstdCompressSync?(bytes: Uint8Array): Buffer;
    zstdDecompressSync?(bytes: Uint8Array): Buffer;
  };
  const { zstdCompressSync, zstdDecompressSync } = native;
  if (zstdCompressSync !== undefined && zstdDecompressSync !== undefined) {
    codecs.set('zstd', { compress: zstdCompressSync, decompress: zstdDecompressSync });
    return;
  }
  const { Zstd } = await import('@hpcc-js/wasm-zstd');
  const zstd = await Zstd.load();
  codecs.set('zstd', { compress: (bytes) => zstd.compress(bytes), decompress: (bytes) => zstd.decompress(bytes) });
}

function codecOf(name: CompressionName): Codec {
  const known = codecs.get(name);
  if (known !== undefined) return known;
  const codec = createCodec(name);
  codecs.set(name, codec);
  return codec;
}

function createCodec(name: CompressionName): Codec {
  switch (name) {
    case 'gzip':
      return { compress: (bytes) => zlib.gzipSync(bytes), decompress: (bytes) => zlib.gunzipSync(bytes) };
    case 'snappy': {
      const { compressSync, uncompressSync } = load<SnappyPackage>('snappy');
      const block = (bytes: Uint8Array) => uncompressSync(bytes, { asBuffer: true });
      return { compress: compressSync, decompress: (bytes) => unframed(bytes, block) };
    }
    case 'lz4': {
      const { compressFrameSync, decompressFrameSync } = load<Lz4Package>('lz4-napi');
      return {
        compress: (bytes) => compressFrameSync(bufferOf(bytes)),
        decompress: (bytes) => decompressFrameSync(bufferOf(bytes)),
      };
    }
    case 'none':
    case 'zstd':
      throw new MillraceError('INTERNAL', `No codec was loaded for '${name}'`, { compression: name });
  }
}

interface SnappyPackage {
  compressSync(bytes: Uint8Array): Buffer;
  uncompressSync(bytes: Uint8Array, options: { readonly asBuffer: true }): Buffer;
}

interface Lz4Package {
  compressFrameSync(bytes: Buffer): Buffer;
  decompressFrameSync(bytes: Buffer): Buffer;
}

function load<T>(name: string): T {
  return createRequire(import.meta.url)(name) as T;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `\x82SNAPPY\0`, two versions i32, then blocks of a length i32 and so many bytes (xerial's SnappyOutputStream). */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const xerialHeaderBytes = 16;

function unframed(bytes: Uint8Array, block: (bytes: Uint8Array) => Buffer): Uint8Array {
  const buffer = bufferOf(bytes);
  if (!buffer.subarray(0, xerialMagic.length).equals(xerialMagic)) return block(buffer);
  const blocks: Buffer[] = [];
  for (let at = xerialHeaderBytes; at < buffer.length;) {
    const length = buffer.readInt32BE(at);
    blocks.push(block(buffer.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks);
}
