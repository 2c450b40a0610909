import {ForestayError} from '../domain/errors.ts';
import {closestWord} from '../domain/spelling.ts';

/** Something that a filter may ask for. NaN is equal to nothing. */
export type FilterField<Item> =
  | {type: 'text'; read(item: Item): string}
  /** A text that can only be one of these, or empty. */
  | {type: 'word'; read(item: Item): string; words(): readonly string[]}
  /** `hosts/h1`, or `h1`. */
  | {type: 'resource'; read(item: Item): string}
  | {type: 'number'; read(item: Item): number}
  | {type: 'flag'; read(item: Item): boolean};

export type FilterFields<Item> = Readonly<Record<string, FilterField<Item>>>;

export const text = <Item>(read: (item: Item) => string): FilterField<Item> => ({
  type: 'text',
  read,
});
export const word = <Item>(
  read: (item: Item) => string,
  words: readonly string[] | (() => readonly string[]),
): FilterField<Item> => ({
  type: 'word',
  read,
  words: typeof words === 'function' ? words : () => words,
});
export const resource = <Item>(read: (item: Item) => string): FilterField<Item> => ({
  type: 'resource',
  read,
});
export const number = <Item>(read: (item: Item) => number): FilterField<Item> => ({
  type: 'number',
  read,
});
export const flag = <Item>(read: (item: Item) => boolean): FilterField<Item> => ({
  type: 'flag',
  read,
});

const TERM = /^\s*([a-z_]+)\s*(!=|<=|>=|=|<|>)\s*("[^"]*"|[^\s"]+)\s*/;
const AND = /^AND(?:\s+|$)/;

type Comparison = <Value extends string | number>(left: Value, right: Value) => boolean;

const comparisons: Readonly<Record<string, Comparison>> = {
  '=': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

/**
 * The predicate that a filter describes: `field op value` terms joined by AND, a subset of
 * AIP-160. An empty filter matches everything. Values with spaces go in double quotes.
 *
 * @throws {ForestayError} `INVALID_ARGUMENT` saying where it stopped making sense.
 */
export function parseFilter<Item>(
  filter: string,
  fields: FilterFields<Item>,
): (item: Item) => boolean {
  const terms: ((item: Item) => boolean)[] = [];
  let rest = filter.trim();
  while (rest !== '') {
    const match = TERM.exec(rest);
    if (match === null) throw invalid(filter, `expected FIELD OP VALUE at "${rest}"`);
    const [whole, field, operator, value] = match as unknown as [string, string, string, string];
    terms.push(parseTerm(filter, fields, field, operator, value.replaceAll('"', '')));
    rest = rest.slice(whole.length);
    if (rest === '') break;
    const and = AND.exec(rest);
    if (and === null) throw invalid(filter, `expected AND at "${rest}"`);
    rest = rest.slice(and[0].length);
    if (rest === '') throw invalid(filter, 'expected a term after AND');
  }
  return item => terms.every(term => term(item));
}

function parseTerm<Item>(
  filter: string,
  fields: FilterFields<Item>,
  field: string,
  operator: string,
  value: string,
): (item: Item) => boolean {
  const known = Object.keys(fields);
  if (!Object.hasOwn(fields, field)) {
    throw invalid(filter, `unknown field ${field}; ${hintAt(field, 'fields are', known)}`);
  }
  const compare = comparisons[operator] as Comparison;
  const asked = fields[field] as FilterField<Item>;
  switch (asked.type) {
    case 'text':
      return item => compare(asked.read(item), value);
    case 'word': {
      const words = asked.words();
      if (value !== '' && !words.includes(value)) {
        throw invalid(filter, `${field} is never "${value}"; ${hintAt(value, 'it can be', words)}`);
      }
      return item => compare(asked.read(item), value);
    }
    case 'resource': {
      const isWhole = value.includes('/');
      return item => compare(isWhole ? asked.read(item) : shortName(asked.read(item)), value);
    }
    case 'number': {
      const wanted = Number(value);
      if (value.trim() === '' || Number.isNaN(wanted)) {
        throw invalid(filter, `${field} is a number, "${value}" is none`);
      }
      return item => compare(asked.read(item), wanted);
    }
    case 'flag':
      if (!/^(true|false)$/.test(value) || !/^!?=$/.test(operator)) {
        throw invalid(filter, `${field} is true or false; write ${field} = true`);
      }
      return item => compare(String(asked.read(item)), value);
  }
}

function hintAt(word: string, candidatesAre: string, candidates: readonly string[]): string {
  const guess = closestWord(word, candidates);
  return guess ? `did you mean ${guess}?` : `${candidatesAre} ${candidates.join(', ')}`;
}

/** `hosts/h1` → `h1` */
function shortName(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

function invalid(filter: string, problem: string): ForestayError {
  return new ForestayError('INVALID_ARGUMENT', `cannot read filter "${filter}": ${problem}`, {
    details: {field: 'filter'},
  });
}
