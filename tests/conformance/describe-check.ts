/** Compares two descriptions; in the expected one `extractor class: *)` stands for any name. */
export function describeDifferences(expected: string, actual: string): string[] {
  const [wanted, found] = [
    expected.split('\n'),
    actual.replace(/extractor class: [^)\n]*\)/g, 'extractor class: *)').split('\n'),
  ];
  for (let line = 0; line < Math.max(wanted.length, found.length); line += 1) {
    if (wanted[line] === found[line]) continue;
    return [
      `describe(), line ${line + 1}: expected ${JSON.stringify(wanted[line])}, actual ${JSON.stringify(found[line])}\n` +
        `expected:\n${expected}\nactual:\n${actual}`,
    ];
  }
  return [];
}
