import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { startProgress } from './progress.ts';

/** Everything written since the last call: newer Nodes give one chunk a read. */
function written(stream: PassThrough): string {
  let text = '';
  for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) {
    text += chunk.toString();
  }
  return text;
}

test('where there is no terminal, progress is a line for every tenth of the way', () => {
  const stream = new PassThrough();
  const progress = startProgress('Year 1', 'rows', stream);
  for (let row = 0; row <= 1000; row++) progress.update(row, 1000);
  progress.stop();
  const lines = written(stream).trimEnd().split('\n');
  expect(lines).toHaveLength(10);
  expect(lines[0]).toMatch(/^Year 1: 10 %, 100 rows, [\d,]+\/s$/);
  expect(lines.at(-1)).toMatch(/^Year 1: 100 %, 1,000 rows, /);
});

test('a total that turns out larger takes nothing back', () => {
  const stream = new PassThrough();
  const progress = startProgress('Load', 'rows', stream);
  progress.update(50, 100);
  progress.update(60, 1000);
  progress.update(600, 1000);
  expect(written(stream).match(/\d+ %/g)).toEqual(['50 %', '60 %']);
});

test('on a terminal progress is a bar that ends on its last state', () => {
  const stream = Object.assign(new PassThrough(), {
    isTTY: true as const,
    columns: 120,
    cursorTo() {},
    clearLine() {},
  });
  const progress = startProgress('Year 1', 'rows', stream);
  progress.update(500, 1000);
  progress.stop();
  progress.update(700, 1000);
  expect(written(stream)).toMatch(/Year 1 {2}█{15}░{15} 50% {2}500 rows {2}[\d,]+\/s/);
  expect(written(stream)).toBe('');
});
