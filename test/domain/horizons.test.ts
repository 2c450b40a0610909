import test from 'ava';
import {raiseOutlook, raiseToShorter} from '../../core/domain/horizons.ts';
import fc from '../support/fast-check.ts';

const risk = fc.oneof(
  {weight: 5, arbitrary: fc.float({min: 0, max: 1, noNaN: true})},
  {weight: 1, arbitrary: fc.constant(Number.NaN)},
);

test('the risk of a longer time is never below that of a shorter one, and otherwise as it was', t => {
  fc.assert(
    fc.property(fc.array(risk, {maxLength: 6}), given => {
      const raised = Float32Array.from(given);
      raiseToShorter(raised);
      for (const [at, value] of raised.entries()) {
        const before = given.slice(0, at + 1).filter(each => !Number.isNaN(each));
        // Not known stays so; all else is the highest so far, which an oracle can say at once.
        if (Number.isNaN(given[at])) t.is(value, Number.NaN);
        else t.is(value, Math.fround(Math.max(...before)));
      }
    }),
  );
});

test('only the risks of the one thing are touched', t => {
  const risks = Float32Array.of(0.5, 0.4, 0.3, 0.2);
  raiseToShorter(risks, 1, 2);
  t.deepEqual([...risks], [...Float32Array.of(0.5, 0.4, 0.4, 0.2)]);
});

test('of named risks each part is raised by itself, in whatever order they come', t => {
  const of = (component: string, risk: number) => ({component, risk});
  const now = [of('cpu', 0.5), of('disk', Number.NaN)];
  const longer = [
    of('cpu-24h', 0.25),
    of('disk-24h', 0.125),
    of('cpu-7d', 0.75),
    of('disk-7d', 0.0625),
    of('power-7d', Number.NaN),
  ];
  t.deepEqual(raiseOutlook(now, longer), [
    of('cpu-24h', 0.5),
    of('disk-24h', 0.125),
    of('cpu-7d', 0.75),
    of('disk-7d', 0.125),
  ]);
});
