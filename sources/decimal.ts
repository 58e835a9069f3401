/**
 * Money exactly: decimal text to an integer number of 10^-decimals, with no floating point on the way.
 *
 *     parseDecimal('2.55', 4)  // 25500
 *     parseDecimal('-11062.06', 4)  // -110620600
 *     parseDecimal('0.00001', 4)  // undefined: would have to be rounded
 *
 * Digits, at most one point with digits on both sides, a leading minus: nothing else is a decimal here. Undefined also
 * when the result is not a safe integer.
 */
export function parseDecimal(text: string, decimals: number): number | undefined {
  const negative = text.charCodeAt(0) === 0x2d;
  const start = negative ? 1 : 0;
  let point = -1;
  let value = 0;
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (digit === -2 && point < 0 && i > start) point = i;
    else return undefined;
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
  }
  if (text.length === start || point === text.length - 1) return undefined;
  const found = point < 0 ? 0 : text.length - point - 1;
  if (found > decimals) return undefined;
  value *= 10 ** (decimals - found);
  if (value > Number.MAX_SAFE_INTEGER) return undefined;
  return negative && value !== 0 ? -value : value;
}
