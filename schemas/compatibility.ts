/**
 * Can a reader with one schema read what a writer with another wrote? Avro 1.11, "Schema Resolution".
 *
 *     record   a field the writer lacks needs a default in the reader; aliases of the reader count as its name;
 *              a field the reader lacks is skipped
 *     enum     every symbol of the writer is known to the reader, or the reader has a default
 *     numbers  int → long → float → double; string ↔ bytes
 *     union    every branch of the writer can be read; a reader's union reads what one of its branches reads
 *     named    same full name, or an alias of the reader
 *
 * `avsc` answers the same question while it builds a resolver, but stops at the first problem and does not say where
 * it is. So the rules are walked here, naming every field that breaks one; a subject's rule (BACKWARD …) decides in
 * which direction and against which versions.
 */
import type avro from 'avsc';
import type { AvroType } from './avro-type.ts';
import type { Compatibility } from './registry.ts';

export interface Incompatibility {
  /** Dotted path from the root, `order.lines[].price`; empty for the root itself. */
  readonly field: string;
  readonly problem: string;
}

/** Which way a rule looks, and how far back. */
export function ruleOf(rule: Compatibility): { backward: boolean; forward: boolean; transitive: boolean } {
  return {
    backward: rule.startsWith('BACKWARD') || rule.startsWith('FULL'),
    forward: rule.startsWith('FORWARD') || rule.startsWith('FULL'),
    transitive: rule.endsWith('_TRANSITIVE'),
  };
}

/** Everything that keeps `reader` from reading what `writer` wrote; empty when it can. */
export function incompatibilities(reader: AvroType, writer: AvroType): readonly Incompatibility[] {
  const found: Incompatibility[] = [];
  compare(reader, writer, '', found, new Set());
  if (found.length === 0) {
    try {
      reader.createResolver(writer);
    } catch (cause) {
      found.push({ field: '', problem: (cause as Error).message });
    }
  }
  return found;
}

const promotions: Readonly<Record<string, readonly string[]>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  string: ['bytes'],
  bytes: ['string'],
};

function compare(reader: AvroType, writer: AvroType, at: string, found: Incompatibility[], seen: Set<string>): void {
  const readerBranches = branches(reader);
  const writerBranches = branches(writer);
  if (writerBranches !== undefined) {
    for (const branch of writerBranches) compare(reader, branch, at, found, seen);
    return;
  }
  if (readerBranches !== undefined) {
    const fits = readerBranches.some((branch) => {
      const problems: Incompatibility[] = [];
      compare(branch, writer, at, problems, new Set(seen));
      return problems.length === 0;
    });
    if (!fits)
      found.push({ field: at, problem: `was written as ${shown(writer)}, no branch of ${shown(reader)} reads it` });
    return;
  }
  if (reader.typeName !== writer.typeName) {
    if (!promotions[reader.typeName]?.includes(writer.typeName)) {
      found.push({ field: at, problem: `was written as ${shown(writer)}, cannot be read as ${shown(reader)}` });
    }
    return;
  }
  if (reader.name !== undefined && reader.name !== writer.name && !(reader.aliases ?? []).includes(writer.name ?? '')) {
    found.push({ field: at, problem: `was named '${writer.name}', is named '${reader.name}' with no alias for it` });
    return;
  }
  compareSameKind(reader, writer, at, found, seen);
}

function compareSameKind(
  reader: AvroType,
  writer: AvroType,
  at: string,
  found: Incompatibility[],
  seen: Set<string>,
): void {
  switch (reader.typeName) {
    case 'record': {
      const pair = `${reader.name}<${writer.name}`;
      if (seen.has(pair)) return;
      seen.add(pair);
      compareFields(reader as avro.types.RecordType, writer as avro.types.RecordType, at, found, seen);
      return;
    }
    case 'enum': {
      const known = reader as avro.types.EnumType & { readonly default?: string };
      const unknown = (writer as avro.types.EnumType).symbols.filter((symbol) => !known.symbols.includes(symbol));
      if (unknown.length > 0 && known.default === undefined) {
        found.push({
          field: at,
          problem: `may hold ${unknown.join(', ')}, which the reader's enum lacks, and it has no default`,
        });
      }
      return;
    }
    case 'fixed': {
      const wanted = (reader as avro.types.FixedType).size;
      const size = (writer as avro.types.FixedType).size;
      if (wanted !== size) found.push({ field: at, problem: `was written with ${size} bytes, is read with ${wanted}` });
      return;
    }
    case 'array':
      compare(
        (reader as avro.types.ArrayType).itemsType,
        (writer as avro.types.ArrayType).itemsType,
        `${at}[]`,
        found,
        seen,
      );
      return;
    case 'map':
      compare(
        (reader as avro.types.MapType).valuesType as AvroType,
        (writer as avro.types.MapType).valuesType as AvroType,
        `${at}{}`,
        found,
        seen,
      );
      return;
    default:
  }
}

function compareFields(
  reader: avro.types.RecordType,
  writer: avro.types.RecordType,
  at: string,
  found: Incompatibility[],
  seen: Set<string>,
): void {
  const written = new Map(writer.fields.map((field) => [field.name, field]));
  for (const field of reader.fields) {
    const path = at === '' ? field.name : `${at}.${field.name}`;
    const match = [field.name, ...field.aliases].map((name) => written.get(name)).find((hit) => hit !== undefined);
    if (match !== undefined) compare(field.type, match.type, path, found, seen);
    else if (field.defaultValue() === undefined) {
      found.push({ field: path, problem: 'is missing from what was written and has no default' });
    }
  }
}

function branches(type: AvroType): readonly AvroType[] | undefined {
  return type.typeName.startsWith('union') ? (type as avro.types.UnwrappedUnionType).types : undefined;
}

function shown(type: AvroType): string {
  const inside = branches(type);
  if (inside !== undefined) return `[${inside.map(shown).join(', ')}]`;
  return type.name ?? type.typeName;
}
