import test from 'ava';
import {quoted, where} from '../../core/adapters/store-sql-words.ts';

test('names are quoted, in a list', t => {
  t.is(quoted(['ts', 'entity']), '"ts", "entity"');
  t.is(quoted([]), '');
});

test('all conditions must hold; without any there is no clause', t => {
  t.is(where([]), '');
  t.is(where(['"a" = 1']), ' WHERE "a" = 1');
  t.is(where(['"a" = 1', '"b" < 2']), ' WHERE "a" = 1 AND "b" < 2');
});
