import test from 'ava';
import {fixed, percent, placementVm, seconds, vmProposal} from '../../core/domain/proposal.ts';
import {aVm, GIB} from './cells.ts';

const vm = aVm('v1', 'h1', {antiAffinityGroup: 'db', cpuP95Cores: 3});

test('a proposal about a VM names it, its host and why; nothing else is assumed', t => {
  const proposal = vmProposal(vm, 'restart', 'h2', 5, {because: 'lost', healing: true});
  t.deepEqual(proposal, {
    entity: 'vms/v1',
    host: 'h1',
    action: 'restart',
    targetHost: 'h2',
    risk: Number.NaN,
    component: '',
    alternatives: [],
    finishesInMs: 5,
    because: 'lost',
    healing: true,
  });
});

test('what is known besides goes in', t => {
  const known = {because: 'x', healing: false, risk: 0.5, component: 'disk'};
  const {risk, component} = vmProposal(vm, 'none', '', 0, known);
  t.deepEqual([risk, component], [0.5, 'disk']);
});

test('a VM takes its measured need of a host’s CPU and all of its memory', t => {
  t.deepEqual(placementVm(vm), {
    name: 'v1',
    host: 'h1',
    cpuP95Cores: 3,
    memoryBytes: 8 * GIB,
    antiAffinityGroup: 'db',
  });
});

test('numbers are printed as people read them', t => {
  t.deepEqual([0, 0.004, 0.0999, 0.1, 0.456, 1].map(percent), [
    '0.0 %',
    '0.4 %',
    '10.0 %',
    '10 %',
    '46 %',
    '100 %',
  ]);
  t.is(percent(Number.NaN), 'unknown');
  t.is(fixed(1.005), '1.00');
  t.is(seconds(1499), '1 s');
});
