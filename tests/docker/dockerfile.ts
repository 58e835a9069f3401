/** One instruction of a Dockerfile: comments left out, continued lines in one. */
export interface Instruction {
  /** `RUN`, `COPY` … */
  readonly name: string;
  readonly text: string;
}

export function readDockerfile(content: string): Instruction[] {
  return content
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => {
      const [, name, text] = /^\s*([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      return name === undefined || text === undefined ? [] : [{ name, text: text.replaceAll(/\s+/g, ' ').trim() }];
    });
}

/** The variables that `ENV A=1 B=2` sets. */
export function variablesOf(instructions: readonly Instruction[]): Record<string, string> {
  const pairs = instructions.filter(({ name }) => name === 'ENV').flatMap(({ text }) => text.split(' '));
  return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
}
