import { MillraceError } from '../../schemas/errors.ts';
import type { FetchedRecord, LogHeader, LogRecord } from '../log.ts';
import { unzigzag, VarintReader, varintSize, writeVarint, zigzag } from '../varint.ts';
import { compress, decompress, type Compression } from './compression.ts';
import { crc32c } from './crc32c.ts';

/**
 * Kafka's record batch, magic 2 (KIP-98), as it is on the wire and on the broker's disk:
 *
 *     0  | base offset i64 | length i32, of what follows | leader epoch i32 |
 *     16 | magic i8 = 2 | CRC-32C u32, of what follows | attributes i16 | last offset delta i32 |
 *     27 | base timestamp i64 | max timestamp i64 |
 *     43 | producer id i64 | producer epoch i16 | base sequence i32 | record count i32 |
 *     61 | records, compressed together:
 *            length · attributes i8 · timestamp delta · offset delta · key length, -1 = null · key ·
 *            value length, -1 = null · value · header count · (key length · key · value length · value) each
 *
 * Numbers in records are zigzag varints. kafkajs has a codec of its own; this one exists because it is the hot path (a record costs
 * kafkajs several objects and promises both ways), and because the reader needs the batches' headers: which producer a
 * batch is of, and where an emptied one ends.
 */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional: boolean;
}

const headerBytes = 61;
const crcStart = 21;
const magic = 2;
const attribute = { compression: 0x07, logAppendTime: 0x08, transactional: 0x10, control: 0x20 };
const noProducer: ProducerIdentity = { producerId: -1n, producerEpoch: -1, baseSequence: -1, transactional: false };

export function encodeRecordBatch(
  records: readonly LogRecord[],
  compression: Compression,
  producer: ProducerIdentity = noProducer,
): Uint8Array {
  const first = records[0];
  if (first === undefined) throw new RangeError('a record batch holds at least one record');
  const plain = encodeRecords(records, first.timestamp, compression.id === 0 ? headerBytes : 0);
  let out = plain.bytes;
  if (compression.id !== 0) {
    const compressed = compress(compression, plain.bytes);
    out = new Uint8Array(headerBytes + compressed.length);
    out.set(compressed, headerBytes);
  }
  const view = new DataView(out.buffer);
  view.setInt32(8, out.length - 12);
  view.setInt32(12, -1);
  view.setInt8(16, magic);
  view.setInt16(21, compression.id | (producer.transactional ? attribute.transactional : 0));
  view.setInt32(23, records.length - 1);
  view.setBigInt64(27, BigInt(first.timestamp));
  view.setBigInt64(35, BigInt(plain.maxTimestamp));
  view.setBigInt64(43, producer.producerId);
  view.setInt16(51, producer.producerEpoch);
  view.setInt32(53, producer.baseSequence);
  view.setInt32(57, records.length);
  view.setUint32(17, crc32c(out, crcStart, out.length));
  return out;
}

function encodeRecords(records: readonly LogRecord[], baseTimestamp: number, start: number) {
  const sizes = new Array<number>(records.length);
  let total = start;
  let maxTimestamp = baseTimestamp;
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as LogRecord;
    if (!Number.isSafeInteger(record.timestamp)) {
      throw new MillraceError('INVALID_ARGUMENT', `A record's timestamp is ms since epoch, found ${record.timestamp}`, {
        timestamp: record.timestamp,
      });
    }
    if (record.timestamp > maxTimestamp) maxTimestamp = record.timestamp;
    const size = recordSize(record, i, baseTimestamp);
    sizes[i] = size;
    total += varintSize(zigzag(size)) + size;
  }
  const out = new Uint8Array(total);
  let at = start;
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as LogRecord;
    at = writeVarint(out, at, zigzag(sizes[i] as number));
    out[at++] = 0;
    at = writeVarint(out, at, zigzag(record.timestamp - baseTimestamp));
    at = writeVarint(out, at, zigzag(i));
    at = writeBytes(out, at, record.key);
    at = writeBytes(out, at, record.value);
    const headers = record.headers ?? noHeaders;
    at = writeVarint(out, at, zigzag(headers.length));
    for (const header of headers) {
      at = writeBytes(out, at, Buffer.from(header.key));
      at = writeBytes(out, at, header.value);
    }
  }
  return { bytes: out, maxTimestamp };
}

const noHeaders: readonly LogHeader[] = [];

function recordSize(record: LogRecord, offsetDelta: number, baseTimestamp: number): number {
  const headers = record.headers ?? noHeaders;
  let size = 1 + varintSize(zigzag(record.timestamp - baseTimestamp)) + varintSize(zigzag(offsetDelta));
  size += bytesSize(record.key?.length ?? -1) + bytesSize(record.value?.length ?? -1);
  size += varintSize(zigzag(headers.length));
  for (const header of headers) size += bytesSize(Buffer.byteLength(header.key)) + bytesSize(header.value.length);
  return size;
}

function bytesSize(length: number): number {
  return varintSize(zigzag(length)) + (length > 0 ? length : 0);
}

function writeBytes(out: Uint8Array, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(out, at, zigzag(-1));
  const start = writeVarint(out, at, zigzag(bytes.length));
  out.set(bytes, start);
  return start + bytes.length;
}

/** Header of a batch on the wire, and how to get at its records. */
export interface FetchedBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly producerId: bigint;
  readonly transactional: boolean;
  /** Of a control batch: what it says. Its record is no record of the topic's. */
  readonly marker: 'commit' | 'abort' | undefined;
  /** Keys, values and headers are views into the fetched bytes, or into their decompressed copy. */
  records(): FetchedRecord[];
}

/**
 * The batches of a fetch answer, in offset order. The last one may be cut off, as brokers cut by bytes: it is left out.
 * @throws MillraceError `DESERIALIZATION_FAILED` when one is damaged or older than magic 2 (brokers from 4.0 on have none)
 */
export function* fetchedBatches(bytes: Uint8Array, where: string): Generator<FetchedBatch, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = 0; start + 17 <= bytes.length;) {
    const end = start + 12 + view.getInt32(start + 8);
    if (end > bytes.length) return;
    if (view.getInt8(start + 16) !== magic) {
      throw damaged(
        where,
        Number(view.getBigInt64(start)),
        `message format ${view.getInt8(start + 16)}, expected ${magic}`,
      );
    }
    yield batchAt(bytes, view, start, end, where);
    start = end;
  }
}

function batchAt(bytes: Uint8Array, view: DataView, start: number, end: number, where: string): FetchedBatch {
  const baseOffset = Number(view.getBigInt64(start));
  const attributes = view.getInt16(start + 21);
  const checksum = view.getUint32(start + 17);
  const found = crc32c(bytes, start + crcStart, end);
  if (found !== checksum) throw damaged(where, baseOffset, `checksum ${found}, ${checksum} was written`);
  const records = () => decodeRecords(bytes, view, start, end, where);
  return {
    baseOffset,
    lastOffset: baseOffset + view.getInt32(start + 23),
    producerId: view.getBigInt64(start + 43),
    transactional: (attributes & attribute.transactional) !== 0,
    marker: (attributes & attribute.control) === 0 ? undefined : markerOf(records()[0]),
    records,
  };
}

/** The key of a control record: version i16, type i16, 0 = abort, 1 = commit. */
function markerOf(record: FetchedRecord | undefined): 'commit' | 'abort' {
  return record?.key?.[3] === 0 ? 'abort' : 'commit';
}

function decodeRecords(bytes: Uint8Array, view: DataView, start: number, end: number, where: string): FetchedRecord[] {
  const baseOffset = Number(view.getBigInt64(start));
  const attributes = view.getInt16(start + 21);
  const baseTimestamp = Number(view.getBigInt64(start + 27));
  const appendTime = (attributes & attribute.logAppendTime) === 0 ? undefined : Number(view.getBigInt64(start + 35));
  const count = view.getInt32(start + 57);
  const compression = attributes & attribute.compression;
  const stored = bytes.subarray(start + headerBytes, end);
  const payload = compression === 0 ? stored : decompress(compression, stored, where);
  const buffer = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const reader = new VarintReader(payload, 0, payload.length);
  const bytesOf = (): Buffer | null => {
    const length = unzigzag(reader.next());
    if (length < 0) return null;
    const from = reader.position;
    reader.position = from + length;
    return buffer.subarray(from, from + length);
  };
  const records = new Array<FetchedRecord>(count);
  for (let i = 0; i < count; i++) {
    const length = unzigzag(reader.next());
    const recordEnd = reader.position + length;
    reader.position += 1; // Attributes: none are used.
    const timestamp = baseTimestamp + unzigzag(reader.next());
    const offset = baseOffset + unzigzag(reader.next());
    const key = bytesOf();
    const value = bytesOf();
    const headerCount = unzigzag(reader.next());
    if (headerCount === 0) {
      records[i] = { offset, timestamp: appendTime ?? timestamp, key, value };
    } else {
      const headers: LogHeader[] = [];
      for (let h = 0; h < headerCount; h++) {
        const name = bytesOf();
        headers.push({ key: name?.toString() ?? '', value: bytesOf() ?? empty });
      }
      records[i] = { offset, timestamp: appendTime ?? timestamp, key, value, headers };
    }
    if (reader.position !== recordEnd)
      throw damaged(where, offset, `its record ends at byte ${reader.position} of ${recordEnd}`);
  }
  return records;
}

const empty = new Uint8Array();

function damaged(where: string, offset: number, what: string): MillraceError {
  return new MillraceError(
    'DESERIALIZATION_FAILED',
    `A record batch of ${where} at offset ${offset} is damaged: ${what}`,
    {
      where,
      offset,
    },
  );
}
