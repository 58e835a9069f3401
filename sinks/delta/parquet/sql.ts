/** Names and texts as SQL writes them: the only two ways that anything from outside comes into a statement. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** DuckDB's texts end at a NUL, so that one is put together. */
export function literal(text: string): string {
  return text
    .split('\0')
    .map((part) => `'${part.replaceAll("'", "''")}'`)
    .join(' || chr(0) || ');
}

/** A file for `read_parquet`, in which `*`, `?` and `[` stand for themselves. */
export function fileLiteral(localPath: string): string {
  return literal(localPath.replace(/[*?[]/g, '[$&]'));
}
