import test from 'ava';
import {renewal} from '../../bench/renewal.ts';

test('some dozens of failures teach a generation of hardware, and the one before is not forgotten', async t => {
  const options = {
    ...{seeds: '1', firstSeed: '7000', failures: '40'},
    ...{hosts: '24', newHosts: '10', hours: '10'},
  };
  const {metrics} = await renewal.run({options, operands: []});
  const of = (name: string) => metrics[name] as number;
  t.true(of('champion.gen-2.logLoss') > 1.5 * of('champion.gen-1.logLoss'), 'it is a change');
  t.true(of('40.onTop.gen-2.atLeast') > 0);
  t.true(of('40.onTop.gen-1.logLoss') < 1.05 * of('champion.gen-1.logLoss'));
  t.true(of('40.onTop.gen-1.logLoss') < of('40.scratch.gen-1.logLoss'));
  t.true(of('40.onTop.gen-2.averagePrecision') > of('40.scratch.gen-2.averagePrecision'));
});
