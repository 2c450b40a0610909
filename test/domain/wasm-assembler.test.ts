import test from 'ava';
import * as w from '../../core/domain/wasm-assembler.ts';
import fc from '../support/fast-check.ts';

type Run = (...args: number[]) => void;

/** Runs one function over memory that begins with these floats; gives the first ones after it. */
function run(
  body: readonly w.Code[],
  cells: readonly number[],
  {params = [], locals = [], args = []}: Partial<w.WasmFunction> & {args?: number[]} = {},
): Float32Array {
  const memory = w.createMemory();
  new Float32Array(memory.buffer).set(cells);
  const module = w.compile(w.assemble([{name: 'run', params, locals, body}]));
  (w.instantiate(module, memory) as {run: Run}).run(...args);
  return new Float32Array(memory.buffer);
}

const whole = fc.integer({min: -(2 ** 24), max: 2 ** 24});

test('a whole number comes through whatever its length in bytes', t => {
  const store = (number: number) => [w.int(0), w.int(number), w.toFloat, w.vsplat, w.vstore()];
  for (const edge of [0, 63, 64, 127, 128, 8191, 8192, -1, -64, -65, -8192, -8193]) {
    t.is(run(store(edge), [])[0], edge);
  }
  fc.assert(fc.property(whole, number => run(store(number), [])[3] === number));
});

const finite = fc.float({noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6});
const four = fc.array(finite, {minLength: 4, maxLength: 4});

const operations: readonly [string, w.Code, (a: number, b: number) => number][] = [
  ['vadd', w.vadd, (a, b) => a + b],
  ['vsub', w.vsub, (a, b) => a - b],
  ['vmul', w.vmul, (a, b) => a * b],
  ['vmin', w.vmin, (a, b) => Math.min(a, b)],
  ['vmax', w.vmax, (a, b) => Math.max(a, b)],
];

for (const [name, code, same] of operations) {
  test(`${name} does to four floats at once what JavaScript does to each`, t => {
    const body = [w.int(32), w.int(0), w.vload(), w.int(0), w.vload(16), code, w.vstore()];
    fc.assert(
      fc.property(four, four, (a, b) => {
        const after = run(body, [...a, ...b]).subarray(8, 12);
        const wanted = a.map((value, lane) => Math.fround(same(value, b[lane] as number)));
        // Not deepEqual: of two zeros either may be the lesser.
        t.true(
          after.every((value, lane) => value === wanted[lane]),
          `${after} ${wanted}`,
        );
      }),
    );
  });
}

test('a minimum passes over a value that is missing', t => {
  const body = [w.int(16), w.vconst(3), w.int(0), w.vload(), w.vmin, w.vstore()];
  t.deepEqual([...run(body, [Number.NaN, 1, 5, Number.NaN]).subarray(4, 8)], [3, 1, 3, 3]);
});

test('a loop repeats while its condition holds, and a branch is taken or not', t => {
  // Local 0 counts down from the argument; local 1 is an address that moves on with it.
  const body = [
    w.repeatWhile(
      w.get(1),
      w.get(0),
      w.toFloat,
      w.vsplat,
      w.vstore(),
      w.get(1),
      w.int(16),
      w.iadd,
      w.set(1),
      w.get(0),
      w.int(1),
      w.isub,
      w.set(0),
      w.int(0),
      w.get(0),
      w.iless,
    ),
    w.get(0),
    w.isZero,
    w.when([w.get(1), w.vconst(7), w.vstore()], [w.get(1), w.vconst(9), w.vstore()]),
  ];
  const cells = run(body, [], {params: ['i32'], locals: ['i32'], args: [3]});
  t.deepEqual([cells[0], cells[4], cells[8], cells[12]], [3, 2, 1, 7]);
});

test('memory grows by whole pages, to at least what is asked, and keeps what it holds', t => {
  const memory = w.createMemory();
  new Float32Array(memory.buffer)[5] = 42;
  const before = memory.buffer.byteLength;
  w.growMemory(memory, 10);
  t.is(memory.buffer.byteLength, before);
  w.growMemory(memory, 3 * before + 1);
  t.is(memory.buffer.byteLength, 4 * before);
  t.is(new Float32Array(memory.buffer)[5], 42);
});
