/**
 * Sets of 32-bit integers in the portable format of Roaring bitmaps (https://github.com/RoaringBitmap/RoaringFormatSpec),
 * little-endian. Values are grouped by their upper 16 bits into containers, each an array of up to 4,096 values, a bitmap of
 * 8 KiB, or runs.
 *
 *     with runs     | cookie 12347 u16 | containers - 1 u16 | a bit for each: has runs | (key u16, cardinality - 1 u16)*
 *                   | offsets u32* from four containers on | containers |
 *     without runs  | cookie 12346 u32 | containers u32 | (key u16, cardinality - 1 u16)* | offsets u32* | containers |
 *
 * Sets come in and go out as ascending lists: what deletion vectors are used for here is "leave out these rows" and "these
 * too".
 */
const cookieWithoutRuns = 12_346;
const cookieWithRuns = 12_347;
const arrayValuesMax = 4_096;
const bitmapBytes = 8_192;

/** Gives each value, ascending, and where the set ends in the bytes. Undefined for bytes that are no such set. */
export function readRoaring(bytes: DataView, begin: number, give: (value: number) => void): number | undefined {
  try {
    return readSet(bytes, begin, give);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // Past the end of the bytes.
    throw error;
  }
}

function readSet(bytes: DataView, begin: number, give: (value: number) => void): number | undefined {
  let at = begin;
  const cookie = bytes.getUint32(at, true);
  at += 4;
  const runs = (cookie & 0xffff) === cookieWithRuns;
  if (!runs && cookie !== cookieWithoutRuns) return undefined;
  const count = runs ? (cookie >>> 16) + 1 : bytes.getUint32(at, true);
  if (!runs) at += 4;
  if (count > 0x1_0000) return undefined;
  const runFlags = at;
  if (runs) at += Math.ceil(count / 8);
  const headers = at;
  at += count * 4;
  // Containers stand one after the other, so their offsets say nothing new.
  if (!runs || count >= 4) at += count * 4;
  for (let container = 0; container < count; container++) {
    const high = bytes.getUint16(headers + container * 4, true) * 0x1_0000;
    const cardinality = bytes.getUint16(headers + container * 4 + 2, true) + 1;
    if (runs && (bytes.getUint8(runFlags + (container >>> 3)) >>> (container & 7)) & 1) {
      const runCount = bytes.getUint16(at, true);
      at += 2;
      for (let run = 0; run < runCount; run++, at += 4) {
        const first = bytes.getUint16(at, true);
        const length = bytes.getUint16(at + 2, true) + 1;
        for (let value = first; value < first + length; value++) give(high + value);
      }
    } else if (cardinality <= arrayValuesMax) {
      for (let each = 0; each < cardinality; each++, at += 2) give(high + bytes.getUint16(at, true));
    } else {
      for (let byte = 0; byte < bitmapBytes; byte++) {
        const bits = bytes.getUint8(at + byte);
        for (let bit = 0; bit < 8; bit++) if ((bits >>> bit) & 1) give(high + byte * 8 + bit);
      }
      at += bitmapBytes;
    }
  }
  return at;
}

/** The set of these values, ascending and each once. Arrays and bitmaps only: runs save little where rows die here and there. */
export function writeRoaring(values: readonly number[]): Uint8Array {
  const containers = containersOf(values);
  const bodyBytes = containers.reduce((sum, { low }) => sum + containerBytes(low.length), 0);
  const headBytes = 8 + containers.length * 8;
  const bytes = new Uint8Array(headBytes + bodyBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, cookieWithoutRuns, true);
  view.setUint32(4, containers.length, true);
  let at = headBytes;
  containers.forEach(({ high, low }, index) => {
    view.setUint16(8 + index * 4, high, true);
    view.setUint16(8 + index * 4 + 2, low.length - 1, true);
    view.setUint32(8 + containers.length * 4 + index * 4, at, true);
    if (low.length <= arrayValuesMax) low.forEach((value, each) => view.setUint16(at + each * 2, value, true));
    else for (const value of low) bytes[at + (value >>> 3)]! |= 1 << (value & 7);
    at += containerBytes(low.length);
  });
  return bytes;
}

function containersOf(
  values: readonly number[],
): readonly { readonly high: number; readonly low: readonly number[] }[] {
  const containers: { high: number; low: number[] }[] = [];
  for (const value of values) {
    const high = Math.floor(value / 0x1_0000);
    if (containers.at(-1)?.high !== high) containers.push({ high, low: [] });
    containers.at(-1)!.low.push(value % 0x1_0000);
  }
  return containers;
}

function containerBytes(cardinality: number): number {
  return cardinality <= arrayValuesMax ? cardinality * 2 : bitmapBytes;
}
