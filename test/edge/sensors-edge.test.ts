/** The sensors of a whole edge: how it is told what to ask, and that it leaves nobody behind. */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import test from 'ava';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import {forestay} from '../support/process.ts';
import {startEdge} from './edge-support.ts';
import {dataPath, fakeTool, gone} from './fake-tool.ts';
import {hostFixture} from './host-fixture.ts';

test('forestay edge --print shows what a tool says of drives, and ends although another hangs', async t => {
  const smartctl = fakeTool(
    t,
    `case "$*" in
      *--scan*) cat ${dataPath('smartctl-scan.json')};;
      *) cat ${dataPath('smartctl-ata.json')};;
    esac`,
  );
  const {root} = hostFixture(t, {'proc/uptime': '77.00 1\n', 'dev/ipmi0': ''});
  const {code, stdout, stderr} = await forestay(t, [
    ...[
      'edge',
      '--print',
      '--output',
      'ndjson',
      '--count',
      '10',
      '--interval',
      '400ms',
      '--root',
      root,
    ],
    ...['--smartctl', smartctl, '--ipmitool', fakeTool(t, 'exec sleep 600')],
  ]);
  t.is(stderr, '');
  t.is(code, 0);
  const samples = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  t.is(samples.length, 10);
  t.deepEqual(Object.keys(samples[0]), ['time', 'entity', ...HOST_METRICS.columns]);
  t.like(samples.at(-1), {boot_age_seconds: 77, disk_age_hours: 41_520, power_draw_watts: null});
});

for (const [args, code, what] of [
  [['--application', 'ftp://127.0.0.1/x'], 2, /Expected a URL/],
  [['--application', 'metrics'], 2, /Expected a URL/],
  [['--application-metrics', 'speed=x'], 2, /latency=NAME/],
  [['--application-metrics', 'latency=a b'], 2, /latency=NAME/],
  [
    ['--application', 'http://10.0.0.7/metrics'],
    3,
    /CONFIG_INVALID.*not on this machine.*--insecure/,
  ],
] as const) {
  test(`forestay edge ${args.join(' ')} is refused`, async t => {
    const result = await forestay(t, ['edge', '--print', '--count', '1', ...args]);
    t.is(result.code, code);
    t.regex(result.stderr, what);
  });
}

test('an edge that stops takes its tools with it, and what its sensors keep is in its spool', async t => {
  const {root} = hostFixture(t, {
    'proc/uptime': '77.00 1\n',
    [`run/log/journal/${'a'.repeat(32)}/x`]: '',
  });
  const [asking, following, spool] = ['asking', 'following', 'spool'].map(name =>
    join(root, name),
  ) as [string, string, string];
  const stuck = (file: string): string =>
    fakeTool(t, `echo $$ > ${file}.new; mv ${file}.new ${file}; exec sleep 600`);
  const edge = startEdge(t, {
    root,
    probes: {tools: {smartctl: stuck(asking), journalctl: stuck(following)}},
    intervalMs: 50,
    spool,
  });
  const kept = join(spool, 'sensors/boots.json');
  while (![asking, following, kept].every(existsSync)) await setTimeout(10);
  await edge.stop();
  for (const file of [asking, following]) await gone(Number(readFileSync(file, 'utf8')));
  t.like(JSON.parse(readFileSync(kept, 'utf8')), {spikes: {spikes: []}});
  t.deepEqual(
    edge.notes.filter(line => line.includes('sensor')),
    [],
  );
});
