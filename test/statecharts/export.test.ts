import {readFileSync} from 'node:fs';
import test from 'ava';
import {chartOf} from '../../statecharts/chart.ts';
import {exportJson, exportMermaid, exportPage, exportTable} from '../../statecharts/export.ts';
import {statePaths} from '../../statecharts/registry.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const HOW = 'run `node test/statecharts/write-docs.ts`';

for (const kind of ['host', 'vm'] as const) {
  test(`the page of the ${kind} machine is the machine`, t => {
    t.is(read(`docs/statecharts/${kind}.md`), exportPage(kind), HOW);
  });

  test(`the table of the ${kind} machine in SPEC.md is the machine`, t => {
    t.true(read('statecharts/SPEC.md').includes(exportTable(kind)), HOW);
  });

  test(`the JSON of the ${kind} machine has every state and only edges between them`, t => {
    const {machine, version, hash, states, transitions} = exportJson(kind);
    t.is(machine, kind);
    t.is(version, 1);
    t.regex(hash, /^[0-9a-f]{8}$/);
    t.is(exportJson(kind).hash, hash);
    const paths = states.map(({path}) => path);
    t.deepEqual(
      states.filter(({leaf}) => leaf).map(({path}) => path),
      [...statePaths(kind)],
    );
    for (const {from, to} of transitions) {
      t.true(from === '' || paths.includes(from), from);
      t.true(to === '' || paths.includes(to), to);
    }
  });

  test(`the Mermaid of the ${kind} machine uses only names that Mermaid reads`, t => {
    const edges = exportMermaid(kind)
      .split('\n')
      .filter(line => line.includes('-->'));
    t.true(edges.length > 15);
    for (const edge of edges) t.regex(edge, /^ +(\[\*\]|\w+) --> \w+(: [^:;]+)?$/);
  });
}

test('each effect is asked for by exactly the states and edges that mean it', t => {
  const asked = new Map<string, Set<string>>();
  for (const kind of ['host', 'vm'] as const) {
    const {states, transitions} = chartOf(kind);
    const places = [
      ...states.map(({path, effects}) => ({where: path, effects})),
      ...transitions.map(({from, event, effects}) => ({where: `${from} ${event}`, effects})),
    ];
    for (const {where, effects} of places) {
      for (const effect of effects) asked.set(effect, (asked.get(effect) ?? new Set()).add(where));
    }
  }
  const table = Object.fromEntries(
    [...asked].map(([effect, where]) => [effect, [...where].sort()]),
  );
  t.deepEqual(table, {
    'cordon-host': [
      'at-risk.preparing deadline.passed',
      'at-risk.preparing effect.failed',
      'at-risk.watching cordon.chosen',
    ],
    'uncordon-host': [
      ' effect.completed',
      'at-risk.preparing cancelled',
      'at-risk.preparing deadline.passed',
      'at-risk.preparing effect.failed',
      'at-risk.preparing uncordon.chosen',
      'normal uncordon.chosen',
      'recovering.verifying cancelled',
      'recovering.verifying deadline.passed',
    ],
    'fence-host': ['at-risk.fencing', 'at-risk.fencing effect.failed'],
    'start-migration': ['migrating.pre-copy'],
    'arm-ghost': ['at-risk.arming-ghost'],
    'retire-ghost': [
      'at-risk.arming-ghost cancelled',
      'at-risk.arming-ghost deadline.passed',
      'at-risk.arming-ghost retire-ghost.chosen',
      'at-risk.observing retire-ghost.chosen',
      'at-risk.protected retire-ghost.chosen',
      'normal',
      'normal deadline.passed',
      'normal retire-ghost.chosen',
      'recovering.awaiting-restart',
      'recovering.awaiting-restart deadline.passed',
      'recovering.awaiting-restart effect.failed',
    ],
    'activate-ghost': ['ghost-active.activating', 'ghost-active.activating effect.failed'],
    'sync-back': ['ghost-active.syncing-back'],
    'fail-back': ['ghost-active.failing-back'],
    'restart-vm': ['recovering.restarting'],
    'shift-traffic': [
      'ghost-active.redirecting',
      'ghost-active.redirecting deadline.passed',
      'migrating.verifying',
      'migrating.verifying deadline.passed',
      'recovering.redirecting',
      'recovering.redirecting deadline.passed',
    ],
  });
});
