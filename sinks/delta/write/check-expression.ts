import { MillraceError } from '../../../schemas/errors.ts';
import { identifier, literal } from '../parquet/sql.ts';
import type { StructType } from '../schema/schema.ts';

/**
 * CHECK constraints are written in the SQL of Spark and checked by DuckDB, which differ in more than one would think ("a" is a
 * text there and a column here). So they are not handed on, but read by this small grammar, whose every construct means the
 * same in both, and written anew. What it does not know makes the table one that Millrace does not write to.
 *
 *     or     := and (OR and)*             and   := not (AND not)*          not := NOT not | test
 *     test   := sum ((= | == | != | <> | < | <= | > | >=) sum | IS [NOT] NULL | [NOT] IN (sum, …) | [NOT] BETWEEN sum AND sum)?
 *     sum    := product ((+ | -) product)*       product := unary (* unary)*       unary := - unary | atom
 *     atom   := number | 'text' | TRUE | FALSE | NULL | column | length(or) | abs(or) | (or)
 *
 * @throws MillraceError `TABLE_UNSUPPORTED`
 */
export function checkExpression(expression: string, schema: StructType, name: string): string {
  return new Parser(expression, schema, name).parse();
}

interface Token {
  readonly kind: 'word' | 'column' | 'number' | 'text' | 'mark' | 'end';
  readonly text: string;
}

const functions: ReadonlySet<string> = new Set(['LENGTH', 'ABS']);
const comparisons: ReadonlySet<string> = new Set(['=', '==', '!=', '<>', '<', '<=', '>', '>=']);

class Parser {
  readonly #tokens: readonly Token[];
  readonly #schema: StructType;
  readonly #refuse: (what: string) => MillraceError;
  #at = 0;

  constructor(expression: string, schema: StructType, name: string) {
    this.#schema = schema;
    this.#refuse = (what) =>
      new MillraceError(
        'TABLE_UNSUPPORTED',
        `The constraint '${name}' can't be checked, so nothing is written: ${what} in ${expression}`,
        { constraint: name, expression },
      );
    this.#tokens = this.#tokenise(expression);
  }

  parse(): string {
    const sql = this.#or();
    if (this.#token.kind !== 'end') throw this.#unknown();
    return sql;
  }

  #or(): string {
    let sql = this.#and();
    while (this.#word('OR')) sql = `(${sql} OR ${this.#and()})`;
    return sql;
  }

  #and(): string {
    let sql = this.#not();
    while (this.#word('AND')) sql = `(${sql} AND ${this.#not()})`;
    return sql;
  }

  #not(): string {
    return this.#word('NOT') ? `(NOT ${this.#not()})` : this.#test();
  }

  #test(): string {
    const left = this.#sum();
    const { kind, text } = this.#token;
    if (kind === 'mark' && comparisons.has(text)) {
      this.#at++;
      return `(${left} ${text === '==' ? '=' : text} ${this.#sum()})`;
    }
    if (this.#word('IS')) {
      const not = this.#word('NOT') ? ' NOT' : '';
      if (!this.#word('NULL')) throw this.#unknown();
      return `(${left} IS${not} NULL)`;
    }
    const not = this.#word('NOT') ? ' NOT' : '';
    if (this.#word('BETWEEN')) {
      const low = this.#sum();
      if (!this.#word('AND')) throw this.#unknown();
      return `(${left}${not} BETWEEN ${low} AND ${this.#sum()})`;
    }
    if (this.#word('IN')) {
      this.#need('(');
      const items = [this.#sum()];
      while (this.#mark(',')) items.push(this.#sum());
      this.#need(')');
      return `(${left}${not} IN (${items.join(', ')}))`;
    }
    if (not !== '') throw this.#unknown();
    return left;
  }

  #sum(): string {
    let sql = this.#product();
    for (;;) {
      if (this.#mark('+')) sql = `(${sql} + ${this.#product()})`;
      else if (this.#mark('-')) sql = `(${sql} - ${this.#product()})`;
      else return sql;
    }
  }

  #product(): string {
    let sql = this.#unary();
    while (this.#mark('*')) sql = `(${sql} * ${this.#unary()})`;
    return sql;
  }

  #unary(): string {
    return this.#mark('-') ? `(-${this.#unary()})` : this.#atom();
  }

  #atom(): string {
    const { kind, text } = this.#token;
    if (this.#mark('(')) return `(${this.#inParentheses()})`;
    this.#at++;
    switch (kind) {
      case 'number':
        return text;
      case 'text':
        return literal(text);
      case 'column':
        return this.#column(text);
      case 'word': {
        const word = text.toUpperCase();
        if (word === 'TRUE' || word === 'FALSE' || word === 'NULL') return word;
        if (functions.has(word) && this.#mark('(')) return `${word.toLowerCase()}(${this.#inParentheses()})`;
        return this.#column(text);
      }
      default:
        this.#at--;
        throw this.#unknown();
    }
  }

  #inParentheses(): string {
    const sql = this.#or();
    this.#need(')');
    return sql;
  }

  #column(name: string): string {
    const field = this.#schema.fields.find((each) => each.name.toLowerCase() === name.toLowerCase());
    if (field === undefined || typeof field.type !== 'string')
      throw this.#refuse(`there is no simple column '${name}'`);
    return identifier(field.name);
  }

  get #token(): Token {
    return this.#tokens[this.#at]!;
  }

  #word(word: string): boolean {
    const { kind, text } = this.#token;
    if (kind !== 'word' || text.toUpperCase() !== word) return false;
    this.#at++;
    return true;
  }

  #mark(mark: string): boolean {
    const { kind, text } = this.#token;
    if (kind !== 'mark' || text !== mark) return false;
    this.#at++;
    return true;
  }

  #need(mark: string): void {
    if (!this.#mark(mark)) throw this.#unknown();
  }

  #unknown(): MillraceError {
    const { kind, text } = this.#token;
    return this.#refuse(kind === 'end' ? 'its end is missing' : `'${text}' is not known`);
  }

  #tokenise(expression: string): Token[] {
    const tokens: Token[] = [];
    let at = 0;
    while (at < expression.length) {
      tokenAt.lastIndex = at;
      const groups = tokenAt.exec(expression)?.groups;
      if (groups === undefined) throw this.#refuse(`'${expression.slice(at, at + 10)}' is not known`);
      at = tokenAt.lastIndex;
      const { number, word, column, text, mark } = groups;
      if (number !== undefined) tokens.push({ kind: 'number', text: number });
      else if (word !== undefined) tokens.push({ kind: 'word', text: word });
      else if (column !== undefined) tokens.push({ kind: 'column', text: column.replaceAll('``', '`') });
      else if (text !== undefined) tokens.push({ kind: 'text', text });
      else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark });
    }
    return [...tokens, { kind: 'end', text: '' }];
  }
}

/** Texts with quotes or backslashes inside are left out: what those mean is a setting of Spark. */
const tokenAt =
  /\s+|(?<number>\d+(?:\.\d+)?(?![\w.]))|(?<word>[A-Za-z_]\w*)|`(?<column>(?:[^`]|``)+)`|'(?<text>[^'\\]*)'(?!')|(?<mark><>|!=|==|<=|>=|[-=<>+*(),])/y;
