import { DuckDb } from './duck-db.ts';

/** The DuckDB of all tables that were not given one of their own: opened with the first, closed with the last. */
let opening: Promise<DuckDb> | undefined;
let users = 0;

export async function shareDuckDb(): Promise<AsyncDisposable & { readonly db: DuckDb }> {
  users++;
  const shared = (opening ??= DuckDb.open());
  let released = false;
  const release = async (): Promise<void> => {
    if (released) return;
    released = true;
    users--;
    if (users > 0) return;
    opening = undefined;
    await (await shared)[Symbol.asyncDispose]();
  };
  try {
    return { db: await shared, [Symbol.asyncDispose]: release };
  } catch (error) {
    users--;
    opening = undefined;
    throw error;
  }
}
