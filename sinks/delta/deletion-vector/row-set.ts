import { crc32 } from 'node:zlib';
import { MillraceError } from '../../../schemas/errors.ts';
import { readRoaring, writeRoaring } from './roaring.ts';

/**
 * The rows that a deletion vector takes from a file: positions from 0, ascending (protocol, Deletion Vector Format).
 *
 *     set    | magic 1681511377 u32 | buckets u64 | (upper 32 bits u32, Roaring bitmap of the lower 32)* |   little-endian
 *     older  | magic 1681511376 u32 | bitmaps u32 | (size u32, Roaring bitmap of the next 2^32 rows)* |              either
 *     file   | version 1 u8 | (size u32, set, CRC-32 of the set u32)* |                                       big-endian
 */
const magic = 1_681_511_377;
/** Read, never written: what the first writers wrote, and the protocol's own example of an inline vector has. */
const olderMagic = 1_681_511_376;
const fileVersion = 1;

/** @throws MillraceError `TABLE_CORRUPT` for bytes that are no such set */
export function readRowSet(bytes: Uint8Array, where: string): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12) throw corrupt(where, `wants 12 bytes and more, found ${bytes.length}`);
  if (view.getUint32(0, true) === magic) return readBuckets(view, where);
  for (const little of [true, false])
    if (view.getUint32(0, little) === olderMagic) return readOlder(view, little, where);
  throw corrupt(where, 'does not begin as one');
}

function readBuckets(view: DataView, where: string): number[] {
  const rows: number[] = [];
  const buckets = Number(view.getBigUint64(4, true));
  let at = 12;
  for (let bucket = 0; bucket < buckets; bucket++) {
    if (at + 4 > view.byteLength) throw corrupt(where, 'ends too early');
    at = readBitmap(view, at + 4, view.getUint32(at, true), rows, where);
  }
  return rows;
}

function readOlder(view: DataView, little: boolean, where: string): number[] {
  const rows: number[] = [];
  const bitmaps = view.getUint32(4, little);
  let at = 8;
  for (let high = 0; high < bitmaps; high++) at = readBitmap(view, at + 4, high, rows, where);
  return rows;
}

/** Gives where the bitmap ends. */
function readBitmap(view: DataView, begin: number, high: number, rows: number[], where: string): number {
  const end = readRoaring(view, begin, (value) => rows.push(high * 0x1_0000_0000 + value));
  if (end === undefined) throw corrupt(where, 'has a bitmap that is none');
  return end;
}

export function writeRowSet(rows: readonly number[]): Uint8Array {
  const byBucket = new Map<number, number[]>();
  for (const row of rows) {
    const high = Math.floor(row / 0x1_0000_0000);
    const bucket = byBucket.get(high) ?? [];
    bucket.push(row % 0x1_0000_0000);
    byBucket.set(high, bucket);
  }
  const head = new DataView(new ArrayBuffer(12));
  head.setUint32(0, magic, true);
  head.setBigUint64(4, BigInt(byBucket.size), true);
  const parts: Uint8Array[] = [new Uint8Array(head.buffer)];
  for (const [high, values] of byBucket) {
    const key = new DataView(new ArrayBuffer(4));
    key.setUint32(0, high, true);
    parts.push(new Uint8Array(key.buffer), writeRoaring(values));
  }
  return Buffer.concat(parts);
}

/** The set at an offset of a file of them. @throws MillraceError `TABLE_CORRUPT` */
export function setInFile(file: Uint8Array, offset: number, sizeInBytes: number, where: string): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const end = offset + 4 + sizeInBytes;
  if (file.length < end + 4) throw corrupt(where, `wants ${end + 4} bytes, found ${file.length}`);
  if (file[0] !== fileVersion) throw corrupt(where, `wants version ${fileVersion} of the format, found ${file[0]}`);
  const size = view.getUint32(offset);
  if (size !== sizeInBytes) throw corrupt(where, `wants ${sizeInBytes} bytes, found ${size}`);
  const set = file.subarray(offset + 4, end);
  const [wanted, found] = [view.getUint32(end), crc32(set)];
  if (wanted !== found) throw corrupt(where, `wants the checksum ${wanted}, found ${found}`);
  return set;
}

/** A file of sets, and where in it each begins. */
export function fileOfSets(sets: readonly Uint8Array[]): { readonly bytes: Uint8Array; readonly offsets: number[] } {
  const parts: Uint8Array[] = [Uint8Array.of(fileVersion)];
  const offsets: number[] = [];
  let at = 1;
  for (const set of sets) {
    const [size, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
    size.writeUInt32BE(set.length);
    checksum.writeUInt32BE(crc32(set));
    offsets.push(at);
    parts.push(size, set, checksum);
    at += set.length + 8;
  }
  return { bytes: Buffer.concat(parts), offsets };
}

function corrupt(where: string, what: string): MillraceError {
  return new MillraceError('TABLE_CORRUPT', `The deletion vector ${where} ${what}`, { where });
}
