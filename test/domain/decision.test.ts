import {readFileSync} from 'node:fs';
import test from 'ava';
import {actionKinds} from '../../core/domain/decision.ts';
import {effectKinds} from '../../core/domain/effects.ts';

// Closed lists: journals and agents of other versions know them by these names. A change here is a
// change of the wire, and is meant to be made twice.
test('the actions that the planner can choose are these', t => {
  t.deepEqual(actionKinds, [
    'none',
    'cordon',
    'uncordon',
    'arm-ghost',
    'retire-ghost',
    'migrate',
    'restart',
    'activate-ghost',
    'fail-back',
    'fence',
  ]);
});

test('the effects that an agent can be asked for are these', t => {
  t.deepEqual(effectKinds, [
    'cordon-host',
    'uncordon-host',
    'fence-host',
    'start-migration',
    'arm-ghost',
    'retire-ghost',
    'activate-ghost',
    'sync-back',
    'fail-back',
    'shift-traffic',
    'restart-vm',
  ]);
});

test('no name is there twice, and all are imperative and kebab-case', t => {
  for (const names of [actionKinds, effectKinds]) {
    t.is(new Set(names).size, names.length);
    for (const name of names) t.regex(name, /^[a-z]+(-[a-z]+)*$/);
  }
});

test('every effect is asked for by a statechart', t => {
  const charts = [
    'host',
    'host-rules',
    'host-setup',
    'vm',
    'vm-rules',
    'vm-setup',
    'vm-transitions',
  ]
    .map(name => readFileSync(new URL(`../../statecharts/${name}.ts`, import.meta.url), 'utf8'))
    .join('\n');
  t.deepEqual(
    effectKinds.filter(kind => !charts.includes(`'${kind}'`)),
    [],
  );
});
