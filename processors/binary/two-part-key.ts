/**
 * Keys of two texts, whatever stands in them, so that all keys with one first part are a range:
 *
 *     <length of the first>:<first>/<second>
 */
export function twoPartKey(first: string, second: string): string {
  return keyPrefix(first) + second;
}

function keyPrefix(first: string): string {
  return `${first.length}:${first}/`;
}

/** The range of all keys with this first part; no key is equal to its end. */
export function keyRange(first: string): { readonly from: string; readonly to: string } {
  return { from: keyPrefix(first), to: `${first.length}:${first}0` };
}

export function parseTwoPartKey(key: string): readonly [first: string, second: string] {
  const colon = key.indexOf(':');
  const end = colon + 1 + Number(key.slice(0, colon));
  return [key.slice(colon + 1, end), key.slice(end + 1)];
}
