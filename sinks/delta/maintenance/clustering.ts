import { BIGINT, DuckDBDataChunk, SMALLINT } from '@duckdb/node-api';
import { MillraceError } from '../../../schemas/errors.ts';
import type { DuckDbSession } from '../parquet/duck-db.ts';
import { identifier } from '../parquet/sql.ts';
import { columnType } from '../read/filter.ts';
import type { StructType } from '../schema/schema.ts';
import { hilbertIndex } from './hilbert-curve.ts';

/**
 * Puts the rows of a SELECT into a temporary table in an order along a Hilbert curve through some columns, cut into as many
 * parts of equal length as files are wanted. Gives the parts as relations.
 *
 * A column becomes an axis by rank: it is cut into cells of equally many rows, so a skewed column fills its axis as evenly as a
 * flat one; equal values are in one cell, null is in the first. The curve goes through all cells, is computed once a cell, and
 * joined.
 */
export async function clusterRows(
  session: DuckDbSession,
  sql: string,
  schema: StructType,
  columns: readonly string[],
  parts: number,
): Promise<readonly string[]> {
  checkColumns(schema, columns);
  const bits = bitsOf[columns.length]!;
  await loadCurve(session, columns.length, bits);
  await session.run(`CREATE TEMP TABLE unordered AS ${sql}`);
  const cells = 2 ** bits;
  for (const [axis, column] of columns.entries()) {
    const name = identifier(column);
    await session.run(
      `CREATE TEMP TABLE axis${axis} AS SELECT value, max(cell) AS cell FROM (
         SELECT ${name} AS value, ntile(${cells}) OVER (ORDER BY ${name}) - 1 AS cell FROM unordered WHERE ${name} IS NOT NULL
       ) GROUP BY value`,
    );
  }
  const joins = columns.map(
    (column, axis) => `LEFT JOIN axis${axis} ON axis${axis}.value = unordered.${identifier(column)}`,
  );
  const cell = columns.map((_, axis) => `coalesce(axis${axis}.cell, 0) * ${cells ** axis}`).join(' + ');
  const order = ['curve.place', ...columns.map((column) => `unordered.${identifier(column)}`)].join(', ');
  await session.run(
    `CREATE TEMP TABLE clustered AS
     SELECT unordered.*, ntile(${parts}) OVER (ORDER BY ${order}) AS ${part} FROM unordered ${joins.join(' ')}
     JOIN curve ON curve.cell = ${cell} ORDER BY ${order}`,
  );
  return Array.from(
    { length: parts },
    (_, at) => `(SELECT * EXCLUDE (${part}) FROM clustered WHERE ${part} = ${at + 1})`,
  );
}

const part = '"_millrace_part"';

/** Bits an axis: some thousand cells in all, which is more than there are files. One column is simply sorted, in one cell. */
const bitsOf: Readonly<Record<number, number>> = { 1: 12, 2: 6, 3: 4, 4: 3 };

/** @throws MillraceError `INVALID_ARGUMENT` */
function checkColumns(schema: StructType, columns: readonly string[]): void {
  const most = Object.keys(bitsOf).length;
  if (columns.length === 0 || columns.length > most) {
    const message = `Rows are clustered by 1 to ${most} columns, found ${columns.length}`;
    throw new MillraceError('INVALID_ARGUMENT', message, { columns: columns.length });
  }
  for (const column of columns) {
    const type = columnType(schema, column);
    if (typeof type === 'object') {
      throw new MillraceError('INVALID_ARGUMENT', `Rows can't be clustered by '${column}': it is a ${type.type}`, {
        column,
      });
    }
  }
}

async function loadCurve(session: DuckDbSession, dimensions: number, bits: number): Promise<void> {
  const side = 2 ** bits;
  const cells = Array.from({ length: side ** dimensions }, (_, cell) => cell);
  const axes = Array.from({ length: dimensions }, (_, axis) => axis);
  const places = cells.map((cell) =>
    hilbertIndex(
      axes.map((axis) => Math.floor(cell / side ** axis) % side),
      bits,
    ),
  );
  await session.run('CREATE TEMP TABLE curve (cell SMALLINT, place BIGINT)');
  const appender = await session.connection.createAppender('curve', 'main', 'temp');
  for (let from = 0; from < cells.length; from += 2048) {
    const some = cells.slice(from, from + 2048);
    const chunk = DuckDBDataChunk.create([SMALLINT, BIGINT], some.length);
    chunk.setColumns([some, places.slice(from, from + 2048)]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}
