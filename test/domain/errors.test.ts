import {globSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {
  type ErrorCode,
  errorCodes,
  ForestayError,
  formatError,
  isForestayError,
  toErrorCode,
} from '../../core/domain/errors.ts';

test('an error has its code, is not retryable and has no details unless told', t => {
  const error = new ForestayError('NOT_FOUND', 'no host h1');
  t.is(error.name, 'ForestayError');
  t.is(error.code, 'NOT_FOUND');
  t.is(error.message, 'no host h1');
  t.false(error.retryable);
  t.deepEqual(error.details, {});
  t.false('cause' in error);
});

test('an error keeps its cause, its details and whether to try again', t => {
  const cause = new Error('refused');
  const options = {retryable: true, details: {host: 'h1', tries: 3}, cause};
  const error = new ForestayError('TIMED_OUT', 'late', options);
  t.is(error.cause, cause);
  t.true(error.retryable);
  t.deepEqual(error.details, {host: 'h1', tries: 3});
});

test('an error of Forestay is known as such, and by its code', t => {
  const error: unknown = new ForestayError('TIMED_OUT', 'late');
  t.true(isForestayError(error));
  t.true(isForestayError(error, 'TIMED_OUT'));
  t.false(isForestayError(error, 'NOT_FOUND'));
  t.false(isForestayError(new Error('late')));
  t.false(isForestayError({code: 'TIMED_OUT'}, 'TIMED_OUT'));
});

test('an error is printed with its chain of causes, outermost first', t => {
  const cause = new RangeError('offset 7 of 3', {cause: 'disk'});
  const error = new ForestayError('LOG_CORRUPT', 'cannot read segment 1', {cause});
  t.is(
    formatError(error),
    [
      '[LOG_CORRUPT] cannot read segment 1',
      '  caused by RangeError: offset 7 of 3',
      '  caused by disk',
    ].join('\n'),
  );
  t.is(formatError('plain'), 'plain');
  t.is(formatError(null), 'null');
  t.is(formatError(undefined), '');
});

test('a chain that bites its own tail ends', t => {
  const error = new Error('round');
  error.cause = error;
  t.is(formatError(error).split('\n').length, 8);
});

/** Codes that no source of the product makes an error of. */
function unused(codes: readonly string[], sources: string): string[] {
  // Asking whether an error has a code, or giving it a status, does not raise it.
  const raising = sources
    .replaceAll(/isForestayError\([^)]*\)/g, '')
    .replaceAll(/(\bcase|[!=]==) '[A-Z_]+'/g, '');
  return codes.filter(code => !raising.includes(`'${code}'`));
}

test('every code is raised somewhere in the product', t => {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const files = globSync('{core,edge,proto,statecharts,models,workers,cli}/**/*.ts', {cwd}).filter(
    file => file !== 'core/domain/errors.ts' && !file.startsWith('proto/gen/'),
  );
  const sources = files.map(file => readFileSync(`${cwd}/${file}`, 'utf8')).join('\n');
  t.true(files.length > 100, 'the product was not found');
  t.deepEqual(unused(errorCodes, sources), []);
  t.is(new Set<ErrorCode>(errorCodes).size, errorCodes.length);
});

test('a code that is only asked for, or given a status, counts as not raised', t => {
  const sources = `
    throw new ForestayError('A_CODE', 'x');
    if (isForestayError(error, 'B_CODE')) return error.code === 'C_CODE';
    const statuses = {D_CODE: 3};
  `;
  t.deepEqual(unused(['A_CODE', 'B_CODE', 'C_CODE', 'D_CODE'], sources), [
    'B_CODE',
    'C_CODE',
    'D_CODE',
  ]);
});

test('a text is taken for a code only if it is one', t => {
  for (const code of errorCodes) t.is(toErrorCode(code), code);
  for (const text of [undefined, '', 'INTERNAL', 'toString']) t.is(toErrorCode(text), undefined);
});
