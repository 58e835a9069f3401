import { randomUUID } from 'node:crypto';
import { MillraceError } from '../../../schemas/errors.ts';
import { type DeletionVectorDescriptor, deletionVectorId } from '../log/action.ts';
import { decodePath } from '../log/uri-path.ts';
import type { Storage } from '../storage/storage.ts';
import { fileOfSets, readRowSet, setInFile, writeRowSet } from './row-set.ts';
import { decodeZ85, encodeZ85 } from './z85.ts';

/**
 * The rows that a descriptor of the log stands for (protocol, Deletion Vectors): in the descriptor itself, in a file whose
 * name is made of a UUID, or in a file at a path.
 * @throws MillraceError `TABLE_CORRUPT`, `TABLE_UNSUPPORTED`
 */
export async function readDeletionVector(storage: Storage, descriptor: DeletionVectorDescriptor): Promise<number[]> {
  const where = `${deletionVectorId(descriptor)} of the table ${storage.location}`;
  const rows = readRowSet(await setOf(storage, descriptor, where), where);
  if (rows.length !== descriptor.cardinality) {
    throw corrupt(storage, where, `wants ${descriptor.cardinality} rows, found ${rows.length}`);
  }
  return rows;
}

/** Writes the sets of rows of several files into one file, and gives a descriptor for each. */
export async function writeDeletionVectors(
  storage: Storage,
  rowsOfFiles: readonly (readonly number[])[],
): Promise<DeletionVectorDescriptor[]> {
  const uuid = randomUUID();
  const sets = rowsOfFiles.map(writeRowSet);
  const { bytes, offsets } = fileOfSets(sets);
  if (!(await storage.putIfAbsent(deletionVectorPath('', uuid), bytes))) {
    throw new MillraceError('INTERNAL', `A deletion vector ${uuid} is there already`, { table: storage.location });
  }
  const pathOrInlineDv = encodeZ85(Buffer.from(uuid.replaceAll('-', ''), 'hex'));
  return sets.map((set, at) => ({
    storageType: 'u',
    pathOrInlineDv,
    offset: offsets[at]!,
    sizeInBytes: set.length,
    cardinality: rowsOfFiles[at]!.length,
  }));
}

/** The file that a descriptor needs to be kept; undefined where it holds its rows itself. */
export function deletionVectorFile(descriptor: DeletionVectorDescriptor, location: string): string | undefined {
  const { storageType, pathOrInlineDv } = descriptor;
  switch (storageType) {
    case 'i':
      return undefined;
    case 'p':
      return decodePath(pathOrInlineDv, location);
    case 'u': {
      const uuid = decodeZ85(pathOrInlineDv.slice(-20));
      if (uuid?.length === 16) {
        const hex = Buffer.from(uuid).toString('hex');
        const text = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
        return deletionVectorPath(pathOrInlineDv.slice(0, -20), text);
      }
    }
  }
  throw new MillraceError(
    'TABLE_CORRUPT',
    `The table ${location} has a deletion vector that is stored in an unknown way: ${storageType}${pathOrInlineDv}`,
    { table: location },
  );
}

function deletionVectorPath(prefix: string, uuid: string): string {
  return `${prefix === '' ? '' : `${prefix}/`}deletion_vector_${uuid}.bin`;
}

async function setOf(storage: Storage, descriptor: DeletionVectorDescriptor, where: string): Promise<Uint8Array> {
  const path = deletionVectorFile(descriptor, storage.location);
  if (path === undefined) {
    const bytes = decodeZ85(descriptor.pathOrInlineDv);
    if (bytes === undefined) throw corrupt(storage, where, 'is not Z85');
    return bytes.subarray(0, descriptor.sizeInBytes);
  }
  const file = await storage.read(path);
  if (file === undefined) throw corrupt(storage, where, `is in ${path}, which is not there`);
  return setInFile(file, descriptor.offset ?? 0, descriptor.sizeInBytes, where);
}

function corrupt(storage: Storage, where: string, what: string): MillraceError {
  return new MillraceError('TABLE_CORRUPT', `The deletion vector ${where} ${what}`, { table: storage.location });
}
