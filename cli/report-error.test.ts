import { expect, test } from 'vitest';
import { MillraceError } from '../schemas/index.ts';
import { errorReport } from './report-error.ts';

test('an error of the family is one sentence on one line, and exit code 1', () => {
  const error = new MillraceError('SOURCE_UNREADABLE', "Cannot read 'x':\n  no such file. ");
  expect(errorReport(error)).toEqual({
    text: "SOURCE_UNREADABLE: Cannot read 'x': no such file; check the path, the rights and --format.",
    exitCode: 1,
  });
});

test('an error without advice of its own ends with its message', () => {
  expect(errorReport(new MillraceError('NOT_FOUND', "Store 'a' has no key 'b'.")).text).toBe(
    "NOT_FOUND: Store 'a' has no key 'b'.",
  );
});

test.each([
  ['an error of nobody', new TypeError('x is not a function')],
  ['an INTERNAL one', new MillraceError('INTERNAL', 'x is not a function')],
])('%s is a defect: its stack, and exit code 70', (_, error) => {
  const { text, exitCode } = errorReport(error);
  expect(exitCode).toBe(70);
  expect(text).toContain('x is not a function');
  expect(text).toMatch(/\n +at .*report-error\.test\.ts/);
});

test('something thrown that is no error is shown as it is', () => {
  expect(errorReport({ wrong: 1 })).toMatchObject({
    exitCode: 70,
    text: expect.stringContaining('{ wrong: 1 }') as string,
  });
});
