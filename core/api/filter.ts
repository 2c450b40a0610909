import {ForestayError} from '../domain/errors.ts';
import {closestWord} from '../domain/spelling.ts';

/** What a filter may ask for. A type's own comparison holds: NaN is equal to nothing. */
export type FilterFields<Item> = Readonly<
  Record<string, (item: Item) => string | number | boolean>
>;

const TERM = /^\s*([a-z_]+)\s*(!=|<=|>=|=|<|>)\s*("[^"]*"|[^\s"]+)\s*/;
const AND = /^AND(?:\s+|$)/;

type Comparison = (left: string | number | boolean, right: string | number | boolean) => boolean;

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
  text: string,
  fields: FilterFields<Item>,
): (item: Item) => boolean {
  const terms: ((item: Item) => boolean)[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const match = TERM.exec(rest);
    if (match === null) throw invalid(text, `expected FIELD OP VALUE at "${rest}"`);
    const [whole, field, operator, value] = match as unknown as [string, string, string, string];
    terms.push(parseTerm(text, fields, field, operator, value.replaceAll('"', '')));
    rest = rest.slice(whole.length);
    if (rest === '') break;
    const and = AND.exec(rest);
    if (and === null) throw invalid(text, `expected AND at "${rest}"`);
    rest = rest.slice(and[0].length);
    if (rest === '') throw invalid(text, 'expected a term after AND');
  }
  return item => terms.every(term => term(item));
}

function parseTerm<Item>(
  text: string,
  fields: FilterFields<Item>,
  field: string,
  operator: string,
  value: string,
): (item: Item) => boolean {
  const known = Object.keys(fields);
  if (!Object.hasOwn(fields, field)) {
    const guess = closestWord(field, known);
    const hint = guess ? `did you mean ${guess}?` : `fields are ${known.join(', ')}`;
    throw invalid(text, `unknown field ${field}; ${hint}`);
  }
  const read = fields[field] as (item: Item) => string | number | boolean;
  const compare = comparisons[operator] as Comparison;
  return item => {
    const actual = read(item);
    if (typeof actual === 'number') return compare(actual, Number(value));
    if (typeof actual === 'boolean') return compare(String(actual), value);
    return compare(actual, value);
  };
}

function invalid(text: string, problem: string): ForestayError {
  return new ForestayError('INVALID_ARGUMENT', `cannot read filter "${text}": ${problem}`, {
    details: {field: 'filter'},
  });
}
