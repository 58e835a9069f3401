import { MillraceError } from '../../schemas/errors.ts';
import type { FetchedRecord, LogHeader, LogRecord } from '../log.ts';
import { unzigzag, VarintReader, varintSize, writeVarint, zigzag } from '../varint.ts';

/**
 * The record batch: what the embedded log stores as one value.
 *
 *     0  | format u8 = 2 | attributes u8 | 0 u16 | record count u32 |
 *     8  | base offset u64 | last offset u64 |                           the offsets the batch stands for
 *     24 | first record's timestamp i64 | max timestamp i64 |
 *     40 | delete horizon i64 |       0, or when its tombstones may go (compaction sets it, KIP-534)
 *     48 | start of the bytes u32 | length of all u32 |
 *     56 | append time i64 |          by the log's clock, ms since epoch; -1 when not known
 *     64 | shapes: a record after the other |
 *            key length + 1, 0 = null · value length + 1, 0 = null
 *            timestamp - that of the record before, zigzag       unless all are equal (attribute 2)
 *            offset - that of the record before - 1              if offsets have gaps (attribute 1)
 *            header count, then (key length, value length) each  if any record has headers (attribute 4)
 *        | bytes: key, value, header key, header value … a record after the other |
 *
 * All numbers are big endian, those in the shapes are varints. Lengths stand apart from the bytes, so that decoding
 * walks one dense column and makes views into the value without copying or touching the payload. Against one entry a
 * record this is several times faster both ways (bench/log.ts). There is no checksum: the engine has one a block.
 *
 * Offsets that compaction removed stay counted: base and last offset of a batch never change, its records thin out. Neither
 * does its append time.
 *
 * Format 1, which data folders up to format 2 were written in, has no append time, and its shapes begin at 56. It is read; what is
 * written is format 2, with -1 where a batch of format 1 was thinned out.
 */
export interface RecordBatch extends BatchHeader {
  readonly records: readonly FetchedRecord[];
}

export interface BatchHeader {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  readonly maxTimestamp: number;
  readonly deleteHorizonMs: number;
  /** When the log took it; undefined: before append times were kept. */
  readonly appendTimeMs: number | undefined;
}

const format = 2;
const headerBytes = 64;
const untimedFormat = 1;
const untimedHeaderBytes = 56;
const unknownTime = -1;
const sparseOffsets = 1;
const equalTimestamps = 2;
const withHeaders = 4;

/** Where the records stand, when not simply one after the other from `baseOffset`. */
export interface Placement {
  readonly offsets: readonly number[];
  readonly lastOffset: number;
  readonly deleteHorizonMs: number;
}

const noHeaders: readonly LogHeader[] = [];

export function encodeRecordBatch(
  baseOffset: number,
  records: readonly LogRecord[],
  appendTimeMs: number | undefined,
  placement?: Placement,
): Uint8Array {
  const first = records[0];
  if (first === undefined) throw new RangeError('a record batch holds at least one record');
  const { attributes, shapeBytes, payloadBytes, maxTimestamp } = measure(baseOffset, records, placement);
  const start = headerBytes + shapeBytes;
  const out = new Uint8Array(start + payloadBytes);
  const view = new DataView(out.buffer);
  out[0] = format;
  out[1] = attributes;
  view.setUint32(4, records.length);
  setInt64(view, 8, baseOffset);
  setInt64(view, 16, placement?.lastOffset ?? baseOffset + records.length - 1);
  setInt64(view, 24, first.timestamp);
  setInt64(view, 32, maxTimestamp);
  setInt64(view, 40, placement?.deleteHorizonMs ?? 0);
  view.setUint32(48, start);
  view.setUint32(52, out.length);
  setInt64(view, 56, appendTimeMs ?? unknownTime);

  let shape = headerBytes;
  let at = start;
  let timestamp = first.timestamp;
  let offset = baseOffset - 1;
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as LogRecord;
    const { key, value } = record;
    shape = writeVarint(out, shape, key === null ? 0 : key.length + 1);
    shape = writeVarint(out, shape, value === null ? 0 : value.length + 1);
    if ((attributes & equalTimestamps) === 0) {
      shape = writeVarint(out, shape, zigzag(record.timestamp - timestamp));
      timestamp = record.timestamp;
    }
    if (placement !== undefined && (attributes & sparseOffsets) !== 0) {
      const mine = placement.offsets[i] as number;
      shape = writeVarint(out, shape, mine - offset - 1);
      offset = mine;
    }
    if (key !== null) at = copy(out, at, key);
    if (value !== null) at = copy(out, at, value);
    if ((attributes & withHeaders) === 0) continue;
    const headers = record.headers ?? noHeaders;
    shape = writeVarint(out, shape, headers.length);
    for (const header of headers) {
      const name = Buffer.from(header.key);
      shape = writeVarint(out, shape, name.length);
      shape = writeVarint(out, shape, header.value.length);
      at = copy(out, at, name);
      at = copy(out, at, header.value);
    }
  }
  return out;
}

function measure(baseOffset: number, records: readonly LogRecord[], placement: Placement | undefined) {
  let attributes = equalTimestamps;
  const first = (records[0] as LogRecord).timestamp;
  for (const record of records) {
    if (!Number.isSafeInteger(record.timestamp)) {
      throw new MillraceError('INVALID_ARGUMENT', `A record's timestamp is ms since epoch, found ${record.timestamp}`, {
        timestamp: record.timestamp,
      });
    }
    if (record.timestamp !== first) attributes &= ~equalTimestamps;
    if (record.headers !== undefined && record.headers.length > 0) attributes |= withHeaders;
  }
  if (placement !== undefined && !isDense(baseOffset, placement.offsets)) attributes |= sparseOffsets;

  let shapeBytes = 0;
  let payloadBytes = 0;
  let maxTimestamp = first;
  let timestamp = first;
  let offset = baseOffset - 1;
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as LogRecord;
    const keyBytes = record.key === null ? 0 : record.key.length;
    const valueBytes = record.value === null ? 0 : record.value.length;
    shapeBytes += varintSize(keyBytes + 1) + varintSize(valueBytes + 1);
    payloadBytes += keyBytes + valueBytes;
    if ((attributes & equalTimestamps) === 0) {
      shapeBytes += varintSize(zigzag(record.timestamp - timestamp));
      timestamp = record.timestamp;
      if (timestamp > maxTimestamp) maxTimestamp = timestamp;
    }
    if (placement !== undefined && (attributes & sparseOffsets) !== 0) {
      const mine = placement.offsets[i] as number;
      shapeBytes += varintSize(mine - offset - 1);
      offset = mine;
    }
    if ((attributes & withHeaders) === 0) continue;
    const headers = record.headers ?? noHeaders;
    shapeBytes += varintSize(headers.length);
    for (const header of headers) {
      const nameBytes = Buffer.byteLength(header.key);
      shapeBytes += varintSize(nameBytes) + varintSize(header.value.length);
      payloadBytes += nameBytes + header.value.length;
    }
  }
  return { attributes, shapeBytes, payloadBytes, maxTimestamp };
}

/** The fixed part alone, for whoever looks for a time or a size. */
export function decodeBatchHeader(bytes: Uint8Array): BatchHeader {
  if (bytes[0] !== format && bytes[0] !== untimedFormat) {
    throw corrupt(`format ${bytes[0]}, expected ${untimedFormat} or ${format}`);
  }
  const shapes = shapesAt(bytes);
  if (bytes.length < shapes) throw corrupt(`${bytes.length} bytes, at least ${shapes} expected`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const appendTimeMs = bytes[0] === format ? getInt64(view, 56) : unknownTime;
  const length = view.getUint32(52);
  if (length !== bytes.length) throw corrupt(`${bytes.length} bytes, ${length} were written`);
  return {
    baseOffset: getInt64(view, 8),
    lastOffset: getInt64(view, 16),
    count: view.getUint32(4),
    maxTimestamp: getInt64(view, 32),
    deleteHorizonMs: getInt64(view, 40),
    appendTimeMs: appendTimeMs === unknownTime ? undefined : appendTimeMs,
  };
}

function shapesAt(bytes: Uint8Array): number {
  return bytes[0] === untimedFormat ? untimedHeaderBytes : headerBytes;
}

/** Keys, values and headers are views into `bytes`. */
export function decodeRecordBatch(bytes: Uint8Array): RecordBatch {
  const header = decodeBatchHeader(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes = bytes[1] ?? 0;
  const sparse = (attributes & sparseOffsets) !== 0;
  const timed = (attributes & equalTimestamps) === 0;
  const headed = (attributes & withHeaders) !== 0;
  const start = view.getUint32(48);
  const shapes = new VarintReader(bytes, shapesAt(bytes), start);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records = new Array<FetchedRecord>(header.count);
  let at = start;
  let timestamp = getInt64(view, 24);
  let offset = header.baseOffset - 1;
  for (let i = 0; i < header.count; i++) {
    const keyLength = shapes.next() - 1;
    const valueLength = shapes.next() - 1;
    if (timed) timestamp += unzigzag(shapes.next());
    offset += sparse ? shapes.next() + 1 : 1;
    let key: Uint8Array | null = null;
    let value: Uint8Array | null = null;
    if (keyLength >= 0) key = buffer.subarray(at, (at += keyLength));
    if (valueLength >= 0) value = buffer.subarray(at, (at += valueLength));
    const headerCount = headed ? shapes.next() : 0;
    if (headerCount === 0) {
      records[i] = { offset, timestamp, key, value };
      continue;
    }
    const headers: LogHeader[] = [];
    for (let h = 0; h < headerCount; h++) {
      const nameLength = shapes.next();
      const length = shapes.next();
      const name = buffer.toString('utf8', at, (at += nameLength));
      headers.push({ key: name, value: buffer.subarray(at, (at += length)) });
    }
    records[i] = { offset, timestamp, key, value, headers };
  }
  if (at !== bytes.length) throw corrupt(`its records end at byte ${at} of ${bytes.length}`);
  return { ...header, records };
}

function isDense(baseOffset: number, offsets: readonly number[]): boolean {
  return offsets.every((offset, i) => offset === baseOffset + i);
}

/** A call costs more than a few bytes copied by hand. */
function copy(out: Uint8Array, at: number, bytes: Uint8Array): number {
  const { length } = bytes;
  if (length > 24) out.set(bytes, at);
  else for (let i = 0; i < length; i++) out[at + i] = bytes[i] as number;
  return at + length;
}

function setInt64(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / 0x100000000));
  view.setUint32(at + 4, value >>> 0);
}

function getInt64(view: DataView, at: number): number {
  return view.getInt32(at) * 0x100000000 + view.getUint32(at + 4);
}

function corrupt(what: string): MillraceError {
  return new MillraceError('DATA_FOLDER_CORRUPT', `A record batch of the embedded log is damaged: ${what}`);
}
