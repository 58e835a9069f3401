/** Z85 (https://rfc.zeromq.org/spec/32/): four bytes as five printable characters, which JSON need not escape. */
const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const digitOf = new Map([...alphabet].map((character, digit) => [character, digit]));

/** The bytes are padded with zeros to a multiple of four. */
export function encodeZ85(bytes: Uint8Array): string {
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  let text = '';
  for (let at = 0; at < padded.length; at += 4) {
    const word = view.getUint32(at);
    for (let divisor = 85 ** 4; divisor >= 1; divisor /= 85) text += alphabet[Math.floor(word / divisor) % 85];
  }
  return text;
}

/** Undefined for a text that is not Z85. */
export function decodeZ85(text: string): Uint8Array | undefined {
  if (text.length % 5 !== 0) return undefined;
  const bytes = new Uint8Array((text.length / 5) * 4);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < text.length; at += 5) {
    let word = 0;
    for (let digit = 0; digit < 5; digit++) word = word * 85 + (digitOf.get(text[at + digit]!) ?? Number.NaN);
    if (!(word <= 0xffff_ffff)) return undefined;
    view.setUint32((at / 5) * 4, word);
  }
  return bytes;
}
