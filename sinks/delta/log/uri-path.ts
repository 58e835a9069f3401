import { MillraceError } from '../../../schemas/errors.ts';

/**
 * Paths of data files stand in the log as URIs (protocol, Add File): relative to the table and percent-encoded, whatever the
 * file is called on the disk. A partition folder `day=2026-01-01` is named by Hive's escaping, which percent-encodes too, so
 * `a b%` is the folder `a b%25` and the log says `a%20b%2525`.
 */
export function encodePath(path: string): string {
  return path.split('/').map(encodeSegment).join('/');
}

/**
 * The path relative to the table.
 * @throws MillraceError `TABLE_UNSUPPORTED` for a file outside the table (a shallow clone), `TABLE_CORRUPT` for no URI
 */
export function decodePath(encoded: string, location: string): string {
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch (cause) {
    const message = `The log of ${location} names a file by '${encoded}', which is no URI`;
    throw new MillraceError('TABLE_CORRUPT', message, { table: location, path: encoded }, { cause });
  }
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(path)?.[0];
  if (scheme === undefined && !path.startsWith('/')) return path;
  const absolute = path.replace(/^file:\/*(?=\/)/i, '');
  if (absolute.startsWith(`${location}/`)) return absolute.slice(location.length + 1);
  throw new MillraceError(
    'TABLE_UNSUPPORTED',
    `The table ${location} has a file outside itself, ${path}: Millrace reads files below the table only`,
    { table: location, path },
  );
}

/** A folder or the name of a value as Hive writes them, for example `country=C%C3%B4te`. */
export function partitionFolder(column: string, value: string | null): string {
  return `${escapeHive(column)}=${value === null ? '__HIVE_DEFAULT_PARTITION__' : escapeHive(value)}`;
}

function encodeSegment(segment: string): string {
  // Marks that RFC 2396 lets stand in a path; what encodeURIComponent does more than that is harmless, but harder to read.
  return encodeURIComponent(segment).replace(/%(3D|40|24|26|2B|2C)/g, decodeURIComponent);
}

/** The characters of Spark's ExternalCatalogUtils.escapePathName. */
function escapeHive(text: string): string {
  return text.replace(
    // oxlint-disable-next-line no-control-regex -- Control characters are among them.
    /[\u0000-\u001f"#%'*/:=?\\\u007f{[\]^]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
