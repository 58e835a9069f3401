import { basename } from 'node:path';
import { MillraceError } from '../../schemas/index.ts';
import { type FirstLine, readFirstLine } from '../../sources/index.ts';

/** By the names that `--format` takes. */
export type KnownFormats = Readonly<Record<string, { readonly fits: (line: FirstLine) => boolean }>>;

/**
 * The format of a file that its first line shows.
 * @throws MillraceError `INVALID_ARGUMENT` when it fits none or several: with the line and the formats; `SOURCE_UNREADABLE`.
 */
export async function detectFormat(path: string, formats: KnownFormats): Promise<string> {
  const line = await readFirstLine(path);
  const known = Object.keys(formats);
  const [format, ...others] = known.filter((name) => formats[name]!.fits(line));
  if (format !== undefined && others.length === 0) return format;
  const seen = line.text === '' ? 'nothing' : JSON.stringify(line.text.slice(0, 200));
  const fits = format === undefined ? 'none of them' : [format, ...others].join(' and ');
  throw new MillraceError(
    'INVALID_ARGUMENT',
    `'${basename(path)}' wants --format, one of: ${known.join(', ')}; its first line fits ${fits}: ${seen}`,
    { file: basename(path), known: known.join(', '), found: seen },
  );
}
