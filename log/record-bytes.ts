import type { LogRecord } from './log.ts';

/** What a record weighs against byte limits: key, value and headers, without the batch around them. */
export function recordBytes(record: LogRecord): number {
  let bytes = (record.key === null ? 0 : record.key.length) + (record.value === null ? 0 : record.value.length);
  if (record.headers !== undefined) {
    for (const header of record.headers) bytes += Buffer.byteLength(header.key) + header.value.length;
  }
  return bytes;
}
