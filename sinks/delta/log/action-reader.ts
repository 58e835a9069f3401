import { MillraceError } from '../../../schemas/errors.ts';
import type {
  Action,
  AddFile,
  ApplicationTransaction,
  ChangeFile,
  CommitInfo,
  DeletionVectorDescriptor,
  DomainMetadata,
  Metadata,
  PartitionValues,
  Protocol,
  RemoveFile,
} from './action.ts';
import type { Json } from './exact-json.ts';

/**
 * From JSON to an action, every field checked once, here. Fields that nobody knows are left out and actions that nobody knows
 * are passed over, as the protocol wants ("Protocol Evolution"); a field that is not what the protocol says is an error,
 * because a table whose log is misread has wrong rows.
 *
 * Checkpoints write what is absent as null; both are read as absent.
 */
export function readAction(json: Json, where: string): Action | undefined {
  const action = new Fields(json, where);
  for (const [kind, read] of Object.entries(readers)) {
    const fields = action.inner(kind);
    if (fields !== undefined) return read(fields);
  }
  return undefined;
}

const readers: Readonly<Record<string, (fields: Fields) => Action>> = {
  add: (fields) => ({ add: addFile(fields) }),
  remove: (fields) => ({ remove: removeFile(fields) }),
  commitInfo: (fields) => ({ commitInfo: commitInfo(fields) }),
  txn: (fields) => ({ txn: transaction(fields) }),
  protocol: (fields) => ({ protocol: protocol(fields) }),
  metaData: (fields) => ({ metaData: metadata(fields) }),
  domainMetadata: (fields) => ({ domainMetadata: domain(fields) }),
  cdc: (fields) => ({ cdc: changeFile(fields) }),
};

function addFile(fields: Fields): AddFile {
  return defined({
    path: fields.path('path'),
    partitionValues: fields.partitionValues('partitionValues') ?? {},
    size: fields.need('size', fields.integer('size')),
    modificationTime: fields.need('modificationTime', fields.integer('modificationTime')),
    dataChange: fields.boolean('dataChange') ?? true,
    stats: fields.string('stats'),
    tags: fields.strings('tags'),
    deletionVector: deletionVector(fields.inner('deletionVector')),
    baseRowId: fields.integer('baseRowId'),
    defaultRowCommitVersion: fields.integer('defaultRowCommitVersion'),
    clusteringProvider: fields.string('clusteringProvider'),
  });
}

function removeFile(fields: Fields): RemoveFile {
  return defined({
    path: fields.path('path'),
    deletionTimestamp: fields.integer('deletionTimestamp'),
    dataChange: fields.boolean('dataChange') ?? true,
    extendedFileMetadata: fields.boolean('extendedFileMetadata'),
    partitionValues: fields.partitionValues('partitionValues'),
    size: fields.integer('size'),
    stats: fields.string('stats'),
    tags: fields.strings('tags'),
    deletionVector: deletionVector(fields.inner('deletionVector')),
    baseRowId: fields.integer('baseRowId'),
    defaultRowCommitVersion: fields.integer('defaultRowCommitVersion'),
  });
}

function deletionVector(fields: Fields | undefined): DeletionVectorDescriptor | undefined {
  if (fields === undefined) return undefined;
  return defined({
    storageType: fields.need('storageType', fields.string('storageType')),
    pathOrInlineDv: fields.need('pathOrInlineDv', fields.string('pathOrInlineDv')),
    offset: fields.integer('offset'),
    sizeInBytes: fields.need('sizeInBytes', fields.integer('sizeInBytes')),
    cardinality: fields.need('cardinality', fields.integer('cardinality')),
  });
}

function changeFile(fields: Fields): ChangeFile {
  return {
    path: fields.path('path'),
    partitionValues: fields.partitionValues('partitionValues') ?? {},
    size: fields.need('size', fields.integer('size')),
    dataChange: false,
  };
}

/** Free in form: kept as it is, but for the fields that are relied upon. */
function commitInfo(fields: Fields): CommitInfo {
  fields.integer('inCommitTimestamp');
  return fields.json as CommitInfo;
}

function transaction(fields: Fields): ApplicationTransaction {
  return defined({
    appId: fields.need('appId', fields.string('appId')),
    version: BigInt(fields.need('version', fields.long('version'))),
    lastUpdated: fields.integer('lastUpdated'),
  });
}

function protocol(fields: Fields): Protocol {
  return defined({
    minReaderVersion: fields.need('minReaderVersion', fields.integer('minReaderVersion')),
    minWriterVersion: fields.need('minWriterVersion', fields.integer('minWriterVersion')),
    readerFeatures: fields.stringList('readerFeatures'),
    writerFeatures: fields.stringList('writerFeatures'),
  });
}

function metadata(fields: Fields): Metadata {
  const format = fields.need('format', fields.inner('format'));
  return defined({
    id: fields.need('id', fields.string('id')),
    name: fields.string('name'),
    description: fields.string('description'),
    format: {
      provider: format.need('provider', format.string('provider')),
      options: format.strings('options') ?? {},
    },
    schemaString: fields.need('schemaString', fields.string('schemaString')),
    partitionColumns: fields.stringList('partitionColumns') ?? [],
    createdTime: fields.integer('createdTime'),
    configuration: fields.strings('configuration') ?? {},
  });
}

function domain(fields: Fields): DomainMetadata {
  return {
    domain: fields.need('domain', fields.string('domain')),
    configuration: fields.string('configuration') ?? '',
    removed: fields.boolean('removed') ?? false,
  };
}

/** An object of the log, asked for one field after the other. Null and absent are one. */
export class Fields {
  readonly json: Readonly<Record<string, Json>>;
  readonly #where: string;

  constructor(json: Json, where: string) {
    this.#where = where;
    if (!isObject(json)) throw this.#wrong('an action', 'an object', json);
    this.json = json;
  }

  need<T>(field: string, value: T | undefined): T {
    if (value === undefined) throw this.#wrong(`the field '${field}'`, 'a value', undefined);
    return value;
  }

  inner(field: string): Fields | undefined {
    const value = this.#field(field);
    return value === undefined ? undefined : new Fields(value, `${this.#where}, ${field}`);
  }

  string(field: string): string | undefined {
    const value = this.#field(field);
    if (value !== undefined && typeof value !== 'string') throw this.#wrong(`the field '${field}'`, 'a string', value);
    return value;
  }

  /** A URI that can be decoded. */
  path(field: string): string {
    const path = this.need(field, this.string(field));
    try {
      decodeURIComponent(path);
      return path;
    } catch {
      throw this.#wrong(`the field '${field}'`, 'a percent-encoded path', path);
    }
  }

  boolean(field: string): boolean | undefined {
    const value = this.#field(field);
    if (value !== undefined && typeof value !== 'boolean') {
      throw this.#wrong(`the field '${field}'`, 'true or false', value);
    }
    return value;
  }

  integer(field: string): number | undefined {
    const value = this.#field(field);
    if (value !== undefined && !(typeof value === 'number' && Number.isSafeInteger(value))) {
      throw this.#wrong(`the field '${field}'`, 'an integer below 2^53', value);
    }
    return value;
  }

  long(field: string): number | bigint | undefined {
    const value = this.#field(field);
    if (typeof value === 'bigint') return value;
    return this.integer(field);
  }

  strings(field: string): Readonly<Record<string, string>> | undefined {
    const values = this.partitionValues(field);
    // A property without a value says nothing.
    return (
      values && Object.fromEntries(Object.entries(values).filter((each): each is [string, string] => each[1] !== null))
    );
  }

  partitionValues(field: string): PartitionValues | undefined {
    const value = this.#field(field);
    if (value === undefined) return undefined;
    if (!isObject(value)) throw this.#wrong(`the field '${field}'`, 'an object', value);
    for (const [key, each] of Object.entries(value)) {
      if (each !== null && typeof each !== 'string') throw this.#wrong(`'${key}' of '${field}'`, 'a string', each);
    }
    return value as PartitionValues;
  }

  stringList(field: string): readonly string[] | undefined {
    const value = this.#field(field);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) {
      throw this.#wrong(`the field '${field}'`, 'a list of strings', value);
    }
    return value as readonly string[];
  }

  #field(field: string): Json | undefined {
    return Object.hasOwn(this.json, field) ? (this.json[field] ?? undefined) : undefined;
  }

  #wrong(what: string, wanted: string, found: Json | undefined): MillraceError {
    const said = typeof found === 'object' && found !== null ? 'another' : String(found);
    return new MillraceError(
      'TABLE_CORRUPT',
      `In ${this.#where}, ${what} wants ${wanted}, found ${said.slice(0, 80)}`,
      {
        where: this.#where,
      },
    );
  }
}

function isObject(json: Json): json is { readonly [key: string]: Json } {
  return (
    typeof json === 'object' &&
    json !== null &&
    !Array.isArray(json) &&
    Object.getPrototypeOf(json) === Object.prototype
  );
}

/** Without the fields that are undefined: absent is said in one way. */
export function defined<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
