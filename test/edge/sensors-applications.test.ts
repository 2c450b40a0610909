import {once} from 'node:events';
import {createServer, type RequestListener} from 'node:http';
import type {AddressInfo} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {Counter, Gauge, Histogram, Registry} from 'prom-client';
import {
  APPLICATION_METRICS,
  compareScrapes,
  namesOf,
  toScrape,
} from '../../edge/sensors/application-metrics.ts';
import {applicationsSensor} from '../../edge/sensors/applications.ts';
import {parseMetrics} from '../../edge/sensors/metrics-text.ts';
import {readUntil} from './fake-tool.ts';
import {readOnce} from './host-fixture.ts';

const random = {next: () => 0.5};

test('metrics: what prom-client prints is read back, whatever is in the labels', async t => {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'x # {y}',
    labelNames: ['path', 'code'],
    registers,
  });
  const path = 'a "quoted" \\ }{,=\n path # {x="1"} 3';
  requests.inc({path, code: '200'}, 3.5);
  requests.inc({code: '503'});
  new Gauge({name: 'nginx_connections_active', help: 'x', registers}).set(-1e21);
  new Gauge({name: 'unwanted', help: 'x', registers}).set(7);
  const wanted = new Set(['http_requests_total', 'nginx_connections_active', 'never']);
  const escaped = path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  t.deepEqual(parseMetrics(await registry.metrics(), wanted, 'x'), [
    {name: 'http_requests_total', labels: {path: escaped, code: '200'}, value: 3.5},
    {name: 'http_requests_total', labels: {code: '503'}, value: 1},
    {name: 'nginx_connections_active', labels: {}, value: -1e21},
  ]);
});

test('metrics: OpenMetrics with times and exemplars, no last line end, numbers that are none', t => {
  const text = `# TYPE a counter
a_total{code="200"} 17 1700000000.5 # {trace_id="}x"} 0.5 1700000000
b NaN
c\t+Inf
d 2.5e3
# EOF`;
  t.deepEqual(
    parseMetrics(text, new Set(['a_total', 'b', 'd']), 'x').map(({value}) => value),
    [17, 2500],
  );
  t.deepEqual(parseMetrics('', new Set(['a']), 'x'), []);
});

for (const [what, text] of [
  ['a page', '<!doctype html>\n<title>Not found</title>'],
  ['JSON', '{"a": 1}'],
  ['a name alone', 'a\n'],
  ['a torn line of a wanted name', 'x 1\na{code="2'],
  ['bytes', '\u0000\u0001\u0002'],
] as const) {
  test(`metrics: ${what} is a failure`, t => {
    t.throws(() => parseMetrics(text, new Set(['a']), 'http://x'), {
      code: 'SENSOR_FAILED',
      message: /http:\/\/x/,
    });
  });
}

const scrape = (text: string, atMs = 0) =>
  toScrape(parseMetrics(text, namesOf(APPLICATION_METRICS), 'x'), APPLICATION_METRICS, atMs);

test('applications: latency, errors and connections are of the time between two scrapes', t => {
  const before = scrape(`http_request_duration_seconds_sum{path="/a"} 10
http_request_duration_seconds_count{path="/a"} 100
http_requests_total{code="200"} 90
http_requests_total{code="500"} 10
nginx_connections_active 3`);
  const after = scrape(`http_request_duration_seconds_sum{path="/a"} 12
http_request_duration_seconds_count{path="/a"} 110
http_request_duration_seconds_sum{path="/new"} 8
http_request_duration_seconds_count{path="/new"} 10
http_requests_total{code="200"} 96
http_requests_total{code="500"} 11
http_requests_total{code="503"} 1
nginx_connections_active{server="a"} 3
nginx_connections_active{server="b"} 4`);
  t.deepEqual(compareScrapes(before, after), {
    latencySeconds: 0.5,
    errorsRatio: 0.25,
    connections: 7,
  });
  t.deepEqual(compareScrapes(undefined, after), {
    latencySeconds: Number.NaN,
    errorsRatio: Number.NaN,
    connections: 7,
  });
  t.deepEqual(compareScrapes(after, after), {
    latencySeconds: Number.NaN,
    errorsRatio: Number.NaN,
    connections: 7,
  });
  // It was started again.
  t.deepEqual(compareScrapes(after, before), {
    latencySeconds: Number.NaN,
    errorsRatio: Number.NaN,
    connections: 3,
  });
});

test('applications: durations in milliseconds, and requests that the histogram counts', t => {
  const before = scrape('http_server_duration_milliseconds_count 0\n');
  const after = scrape(`http_server_duration_milliseconds_sum 500
http_server_duration_milliseconds_count 10`);
  t.is(compareScrapes(before, after).latencySeconds, 0.05);
  const histogram = (bad: number) => `http_request_duration_seconds_count{status_code="200"} 5
http_request_duration_seconds_count{status_code="502"} ${bad}`;
  t.is(compareScrapes(scrape(histogram(0)), scrape(histogram(5))).errorsRatio, 1);
});

async function serve(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

function scraper(t: ExecutionContext, ...urls: string[]) {
  const sensor = applicationsSensor({
    urls,
    metrics: APPLICATION_METRICS,
    random,
    periodMs: 1000,
    limits: {deadlineMs: 1_000, bytesMax: 100_000},
  });
  t.teardown(() => sensor.close?.());
  return sensor;
}

test('applications: the worst of them counts, one that is away is a failure', async t => {
  const registry = new Registry();
  const histogram = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'x',
    labelNames: ['code'],
    registers: [registry],
  });
  histogram.observe({code: '200'}, 0.1);
  const good = await serve(t, async (_, response) => response.end(await registry.metrics()));
  let asked = 0;
  const slow = await serve(t, (_, response) => {
    asked++;
    response.end(`http_request_duration_seconds_sum ${asked * 9}
http_request_duration_seconds_count ${asked * 3}
redis_connected_clients 5`);
  });
  const sensor = scraper(t, good, 'http://127.0.0.1:1/metrics', slow);
  const first = await readUntil(sensor, 0, it => 'application_connections' in it);
  t.is(first.errors.length, 1);
  t.regex(String(first.errors[0]), /SENSOR_FAILED|cannot read http:\/\/127\.0\.0\.1:1\/metrics/);
  histogram.observe({code: '200'}, 0.2);
  histogram.observe({code: '500'}, 0.2);
  const {readings} = await readUntil(sensor, 1000, it => 'application_latency_seconds' in it);
  t.like(readings, {
    application_latency_seconds: 3,
    application_errors_ratio: 0.5,
    application_connections: 5,
    devices: {
      application_latency_seconds: new URL(slow).host,
      application_errors_ratio: new URL(good).host,
    },
  });
});

for (const [what, listener, message] of [
  ['redirects', (_, response) => response.writeHead(302, {location: '/x'}).end(), /status 302/],
  ['answers never', () => {}, /no whole answer in 1000 ms/],
  [
    'answers without end',
    (_, response) => void response.write('a 1\n'.repeat(50_000)),
    /100000 bytes/,
  ],
  ['drips', (_, response) => void response.write('a 1\n'), /no whole answer in 1000 ms/],
  [
    'breaks off',
    (_, response) =>
      void response.writeHead(200, {'content-length': 9}).write('a', () => response.destroy()),
    /broke off/,
  ],
  ['prints garbage', (_, response) => void response.end('{}'), /cannot understand/],
] as const satisfies readonly (readonly [string, RequestListener, RegExp])[]) {
  test(`applications: one that ${what} is a failure and no value`, async t => {
    const sensor = scraper(t, await serve(t, listener));
    const {errors} = await readUntil(sensor, 0, (_, thrown) => thrown.length > 0);
    t.like(errors[0], {code: 'SENSOR_FAILED'});
    t.regex(String(errors[0]), message);
    t.deepEqual(Object.keys(readOnce(sensor, 1)), ['devices']);
  });
}

test('applications: a password in a URL is used, and is in no message', async t => {
  const asked: (string | undefined)[] = [];
  const url = await serve(t, (request, response) => {
    asked.push(request.headers.authorization);
    response.end(asked.length === 1 ? '{}' : undefined);
  });
  const secret = url.replace('//', '//forestay:hunter2@');
  const sensor = scraper(t, `${secret}?token=hunter2`, 'http://forestay:hunter2@127.0.0.1:1/x');
  const {errors} = await readUntil(sensor, 0, (_, thrown) => thrown.length > 0);
  await readUntil(sensor, 1000, (_, thrown) => {
    errors.push(...thrown);
    return errors.length > 1;
  });
  t.is(asked[0], `Basic ${Buffer.from('forestay:hunter2').toString('base64')}`);
  t.notRegex(errors.map(String).join(), /hunter2/);
});

test('applications: a redirect is not followed', async t => {
  let followed = false;
  const url = await serve(t, (request, response) => {
    if (request.url === '/elsewhere') followed = true;
    response.writeHead(307, {location: '/elsewhere'}).end();
  });
  await readUntil(scraper(t, url), 0, (_, thrown) => thrown.length > 0);
  await new Promise(resolve => setTimeout(resolve, 50));
  t.false(followed);
});
