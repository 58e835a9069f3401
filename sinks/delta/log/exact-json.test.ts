import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatExactJson, JsonDecimal, parseExactJson } from './exact-json.ts';

describe('exact JSON', () => {
  it('keeps every digit of long integers and decimals', () => {
    const text =
      '{"a":9223372036854775807,"b":-9007199254740993,"c":12345678901234567890.1234567890,"d":0.1,"e":[1e3]}';
    const value = parseExactJson(text);
    expect(value).toEqual({
      a: 9223372036854775807n,
      b: -9007199254740993n,
      c: new JsonDecimal('12345678901234567890.1234567890'),
      d: 0.1,
      e: [1000],
    });
    expect(formatExactJson(value)).toBe(text.replace('1e3', '1000'));
  });

  it('says the same as JSON.parse wherever that is exact', () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (json, string) => {
        // The run of digits in the key sends the text through the parser of this file.
        const text = `{"1234567890123456":${json}, "s" : [ ${JSON.stringify(string)} , {} , [] ]}`;
        const parsed = parseExactJson(text);
        expect(formatExactJson(parsed)).toBe(formatExactJson(JSON.parse(text) as never));
      }),
    );
  });

  it('refuses what JSON.parse refuses', () => {
    for (const text of ['', '{', '{"a":}', '[1,]', '01', '"\\x"', 'nul', '{"a":1}x', '"open', '{"a" 1}', '-']) {
      expect(() => parseExactJson(`["1234567890123456",${text}]`)).toThrow(SyntaxError);
      expect(() => JSON.parse(`["1234567890123456",${text}]`) as unknown).toThrow(SyntaxError);
    }
  });

  it('leaves out undefined fields, and has no way to write what is no number', () => {
    expect(formatExactJson({ a: undefined as never, b: null })).toBe('{"b":null}');
    expect(() => formatExactJson(Number.NaN)).toThrow(/no number NaN/);
  });
});
