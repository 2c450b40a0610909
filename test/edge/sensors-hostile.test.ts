/** Tools and texts that mean harm: they cost a failure, never the agent's time. */
import test from 'ava';
import {createTool} from '../../edge/probe-tool.ts';
import {classOfMessage} from '../../edge/sensors/command-records.ts';
import {noHistories} from '../../edge/sensors/history.ts';
import {ipmiSensor} from '../../edge/sensors/ipmi.ts';
import {parseMetrics} from '../../edge/sensors/metrics-text.ts';
import {smartSensor} from '../../edge/sensors/smart.ts';
import {dataPath, fakeTool, readUntil} from './fake-tool.ts';
import {hostFixture} from './host-fixture.ts';

const random = {next: () => 0.5};
const signal = new AbortController().signal;
const sdr = dataPath('ipmitool-sdr.txt');
/** Of what took minutes and hours; generous, for slow machines. */
const quickMs = 2_000;

function msOf(act: () => unknown): number {
  const beganMs = performance.now();
  act();
  return performance.now() - beganMs;
}

test('metrics: labels are read once, however long they are and whatever they leave open', t => {
  const wanted = new Set(['m']);
  for (const labels of ['a'.repeat(60_000), 'a="'.repeat(20_000), 'a="b",'.repeat(10_000)]) {
    const text = `m{x="1"} 1\nm{${labels}} 2\n`;
    t.true(msOf(() => parseMetrics(text, wanted, 'x')) < quickMs, labels.slice(0, 8));
  }
  const samples = parseMetrics(`m{ab="1", c_d="x=\\"y"} 1\n`, wanted, 'x');
  t.deepEqual(samples, [{name: 'm', labels: {ab: '1', c_d: 'x=\\"y'}, value: 1}]);
});

test('metrics: a line beyond all measure is a failure', t => {
  t.throws(() => parseMetrics(`m{${'a'.repeat(4_000_000)}} 1\n`, new Set(['m']), 'http://x'), {
    code: 'SENSOR_FAILED',
    message: /http:\/\/x/,
  });
});

test('commands: messages that begin again and again are read once', t => {
  const sudo = `u : ${'USER=root ; '.repeat(5_000)}`;
  const doas = ' ran command '.repeat(5_000);
  for (const [tag, message] of [
    ['sudo', sudo],
    ['doas', doas],
  ] as const) {
    t.true(msOf(() => classOfMessage(tag, message)) < 100, tag);
    t.is(classOfMessage(tag, message), undefined);
  }
});

test('ipmi: what a tool printed before it was killed is not the whole, and no answer', async t => {
  const {root} = hostFixture(t, {'dev/ipmi0': ''});
  const sensor = ipmiSensor({path: fakeTool(t, `head -4 ${sdr}; kill -9 $$`), root, random});
  t.teardown(() => sensor.close?.());
  const {readings, errors} = await readUntil(sensor, 0, (_, thrown) => thrown.length > 0);
  t.like(errors[0], {code: 'SENSOR_FAILED'});
  t.regex(String(errors[0]), /ipmitool sdr elist all.*killed/);
  t.deepEqual(readings, {devices: {}} as never);
});

test('ipmi: watts are still told by a board whose DCMI call is killed', async t => {
  const {root} = hostFixture(t, {'dev/ipmi0': ''});
  const script = `case "$1" in sdr) cat ${sdr};; *) echo "Instantaneous power reading: 9"; kill -9 $$;; esac`;
  const sensor = ipmiSensor({path: fakeTool(t, script), root, random});
  t.teardown(() => sensor.close?.());
  const {readings} = await readUntil(sensor, 0, it => 'power_draw_watts' in it);
  t.is((readings as {power_draw_watts?: number}).power_draw_watts, 126);
});

for (const [what, script] of Object.entries({
  'a hundred megabytes': 'exec head -c 100000000 /dev/zero',
  'a signal before the first byte': 'kill -11 $$',
  'half of an answer and a signal': `echo '{"devices": [{"name":'; kill -15 $$`,
  'brackets without end': 'head -c 900000 /dev/zero | tr "\\\\000" "["',
  'a drive that is a number': `echo '{"devices": [7]}'`,
  'another shape than ever': `echo '{"devices": {"name": 1}, "smartctl": []}'; exit 3`,
  'bytes that are no text': 'head -c 10000 /dev/urandom',
})) {
  test(`smart: ${what} for an answer: at most a failure, and no values`, async t => {
    const history = noHistories('smart');
    const sensor = smartSensor({path: fakeTool(t, script), history, random, periodMs: 50});
    t.teardown(() => sensor.close?.());
    let reads = 0;
    const {readings, errors} = await readUntil(
      sensor,
      0,
      (_, thrown) => thrown.length > 0 || ++reads > 400,
    );
    t.deepEqual(readings, {devices: {}} as never);
    for (const error of errors) t.like(error, {code: 'SENSOR_FAILED'});
  });
}

test('a tool whose child left its group and holds the pipe cannot outstay its deadline', async t => {
  const tool = createTool(fakeTool(t, 'setsid sleep 3 & exit 0'), {deadlineMs: 200});
  const beganMs = performance.now();
  await t.throwsAsync(tool.run([], signal), {message: /more than 200 ms/});
  t.true(performance.now() - beganMs < 2_500);
});
