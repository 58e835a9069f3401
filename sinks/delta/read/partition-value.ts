import { literal } from '../parquet/sql.ts';
import { duckTypeOf } from '../schema/duck-type.ts';
import type { DataType } from '../schema/schema.ts';

/**
 * A partition value of the log as SQL of the column's type (protocol, Partition Value Serialization). An empty text is null
 * whatever the type. A timestamp that does not say its zone was written in that of its writer, which nobody knows: UTC here.
 */
export function partitionValue(text: string | null | undefined, type: DataType): string {
  const wanted = String(duckTypeOf(type));
  if (text === null || text === undefined || text === '') return `CAST(NULL AS ${wanted})`;
  switch (type) {
    case 'string':
      return literal(text);
    case 'binary':
      return `encode(${literal(text)})`;
    case 'timestamp':
      return `CAST(${literal(/[zZ]$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}+00`)} AS ${wanted})`;
    default:
      return `CAST(${literal(text)} AS ${wanted})`;
  }
}
