import { MillraceError } from '../../../schemas/errors.ts';
import type { DuckDbSession } from '../parquet/duck-db.ts';
import { identifier } from '../parquet/sql.ts';
import type { StructField, StructType } from '../schema/schema.ts';
import { checkExpression } from './check-expression.ts';

/** What must be true of each row, by name: CHECK constraints of the table, and invariants of its columns. */
export function rowConditions(
  schema: StructType,
  constraints: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const conditions = new Map<string, string>();
  for (const [name, expression] of constraints) conditions.set(name, checkExpression(expression, schema, name));
  for (const field of schema.fields) {
    const invariant = invariantOf(field);
    if (invariant !== undefined)
      conditions.set(`invariant of ${field.name}`, checkExpression(invariant, schema, field.name));
  }
  return conditions;
}

/**
 * Null is not true: such a row is refused too (protocol, CHECK Constraints), other than in the SQL standard.
 * @throws MillraceError `ROW_INVALID`, naming the constraint
 */
export async function checkRows(
  session: DuckDbSession,
  relation: string,
  conditions: ReadonlyMap<string, string>,
): Promise<void> {
  if (conditions.size === 0) return;
  const broken = [...conditions.values()].map(
    (condition, at) => `count(*) FILTER ((${condition}) IS DISTINCT FROM true) AS ${identifier(`c${at}`)}`,
  );
  const [counts = []] = await session.rows<bigint[]>(`SELECT ${broken.join(', ')} FROM ${relation}`);
  for (const [at, name] of [...conditions.keys()].entries()) {
    const rows = Number(counts[at]);
    if (rows > 0) {
      throw new MillraceError(
        'ROW_INVALID',
        `The constraint '${name}' is not met by ${rows} rows: nothing was written`,
        {
          constraint: name,
          rows,
        },
      );
    }
  }
}

function invariantOf({ metadata }: StructField): string | undefined {
  const text = metadata['delta.invariants'];
  if (typeof text !== 'string') return undefined;
  const parsed = JSON.parse(text) as { readonly expression?: { readonly expression?: string } };
  return parsed.expression?.expression;
}
