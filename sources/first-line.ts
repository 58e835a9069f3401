import { csvBounds, CsvRows } from './csv-rows.ts';
import { isJsonObject, type JsonObject } from './json-lines.ts';
import { firstLine } from './source-bytes.ts';

/** What the first line of a file that is not blank shows of its format. */
export interface FirstLine {
  /** At most 64 KiB of it; empty when the file is. */
  readonly text: string;
  /** As a row of CSV, trimmed; none when it is no row. */
  readonly names: readonly string[];
  /** As JSON, when it is an object. */
  readonly object: JsonObject | undefined;
}

/** @throws MillraceError `SOURCE_UNREADABLE`. */
export async function readFirstLine(path: string): Promise<FirstLine> {
  const text = await firstLine(path);
  return { text, names: csvFields(text), object: jsonObject(text) };
}

/** The fields of one line of CSV, trimmed; none when it is damaged. */
export function csvFields(line: string, delimiter = ','): readonly string[] {
  let found: readonly string[] = [];
  const rows = new CsvRows(
    { row: (fields) => void (found = fields.map((field) => field.trim())), damaged: () => undefined },
    { delimiter, fieldBytesMax: csvBounds.rowBytesMax },
  );
  rows.push(Buffer.from(line));
  rows.end();
  return found;
}

function jsonObject(text: string): JsonObject | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
