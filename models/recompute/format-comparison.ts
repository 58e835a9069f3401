import { type Comparison, isEqual, type TableComparison } from './comparison.ts';

/**
 * The comparison as text: a line a table, then the first differences of each table that has any.
 *
 *     table             expected   actual     same  differing  missing  extra
 *     product-stats        4,996    4,996    4,996          0        0      0  equal
 */
export function formatComparison(comparison: Comparison): string {
  const head = ['table', 'expected', 'actual', 'same', 'differing', 'missing', 'extra', ''];
  const lines = [head, ...comparison.tables.map(cells)];
  const widths = head.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)));
  const text = lines.map((line) =>
    line
      .map((cell, at) => (at === 0 || at === line.length - 1 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  ')
      .trimEnd(),
  );
  for (const table of comparison.tables) {
    if (table.examples.length === 0) continue;
    const found = table.differing + table.missing + table.extra;
    text.push('', `${table.name}: ${table.examples.length} of ${found} differences`);
    for (const { key, expected, actual } of table.examples) {
      text.push(`  ${key}`, `    expected  ${expected}`, `    actual    ${actual}`);
    }
  }
  const different = comparison.tables.filter((table) => !isEqual(table)).map(({ name }) => name);
  text.push('', comparison.equal ? 'Everything compared is equal.' : `Different: ${different.join(', ')}.`);
  return text.join('\n');
}

function cells(table: TableComparison): string[] {
  if (table.skipped !== undefined) return [table.name, '', '', '', '', '', '', `not compared: ${table.skipped}`];
  const { expected, actual, same, differing, missing, extra } = table;
  const counts = [expected, actual, same, differing, missing, extra].map((count) => count.toLocaleString('en'));
  return [table.name, ...counts, isEqual(table) ? 'equal' : 'DIFFERENT'];
}
