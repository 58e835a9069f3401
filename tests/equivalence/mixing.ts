/** Deterministic functions of keys and values that generated topologies are made of: short, and sensitive to order. */

export function text(value: unknown): string {
  if (value === null || value === undefined) return '∅';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Both, in this order; shortened to a hash when it gets long, so that values don't grow along a chain. */
export function mix(...parts: readonly unknown[]): string {
  const all = parts.map(text).join('.');
  return all.length <= 24 ? all : `#${hashOf(all).toString(36)}`;
}

/** FNV-1a. */
export function hashOf(value: unknown): number {
  let h = 0x811c9dc5;
  for (const char of text(value)) h = Math.imul(h ^ char.codePointAt(0)!, 0x01000193);
  return h >>> 0;
}
