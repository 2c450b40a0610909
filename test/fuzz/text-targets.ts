/** What people and programs write: configuration, filters, tokens, addresses. */
import assert from 'node:assert/strict';
import {crc32} from 'node:zlib';
import {flag, number, parseFilter, text} from '../../core/api/filter.ts';
import {lastKeyOf} from '../../core/api/paging.ts';
import {loadConfig} from '../../core/config.ts';
import {parseYamlSource} from '../../core/config-sources.ts';
import {formatAddress, parseAddress} from '../../core/domain/address.ts';
import {decodeResumeToken, encodeResumeToken} from '../../core/engine/resume-token.ts';
import {accepted, type Target} from './target.ts';

const texts = (...samples: readonly string[]): Buffer[] => samples.map(text => Buffer.from(text));

const yaml: Target = {
  name: 'config-yaml',
  weight: 2,
  samples: texts(
    'core:\n  listen: 127.0.0.1:7443\n  dataDir: "/x"\nlog: {kind: segments}\n',
    'policy:\n  band: &b {enter: 0.5, leave: 0.2}\n  mode: observe # as is\n',
    'a: &a [1, 2]\nb: *a\nc: !!binary aGk=\nd: |\n  text\n? complex\n: value\n',
    '{"store": {"kind": "sqlite"}, "ticks": {"tickMs": 250}}',
  ),
  feed(bytes) {
    const {problems, assignments} = parseYamlSource(bytes.toString(), 'f.yaml');
    for (const {at, message} of problems) assert.ok(at.startsWith('f.yaml:') && message !== '');
    return problems.length === 0 && assignments.length > 0;
  },
};

/** Keys and values of the environment, from the lines of the bytes. */
const environment: Target = {
  name: 'config-environment',
  weight: 1,
  samples: texts(
    'FORESTAY_CORE__LISTEN=127.0.0.1:1\nFORESTAY_TICKS__TICK_MS=250',
    'FORESTAY_LOG__KAFKA__BROKERS=127.0.0.1:9092,127.0.0.1:9093\nFORESTAY_LOG__KIND=kafka',
    'FORESTAY_POLICY__BAND__ENTER=0.5\nFORESTAY_POLICY={band: {enter: 1}}',
  ),
  feed(bytes) {
    const lines = bytes
      .toString()
      .split('\n')
      .map(line => line.split('='));
    const env = Object.fromEntries(lines.map(([key = '', ...rest]) => [key, rest.join('=')]));
    const loaded = accepted(() =>
      loadConfig({env, cwd: '/nonexistent', systemFile: '/nonexistent'}),
    );
    if (loaded === undefined) return false;
    assert.equal(typeof loaded.config.core.listen, 'string');
    return true;
  },
};

type Row = {state: string; risk: number; cordoned: boolean};
const rows: readonly Row[] = [
  {state: 'normal', risk: 0.1, cordoned: false},
  {state: 'at-risk.watching', risk: Number.NaN, cordoned: true},
];

const filter: Target = {
  name: 'filter',
  weight: 10,
  samples: texts(
    'state = normal AND risk >= 0.5',
    'cordoned != true',
    'state="at-risk" AND risk<1e3 AND cordoned=false',
  ),
  feed(bytes) {
    const matches = accepted(() =>
      parseFilter<Row>(bytes.toString(), {
        state: text(row => row.state),
        risk: number(row => row.risk),
        cordoned: flag(row => row.cordoned),
      }),
    );
    if (matches === undefined) return false;
    for (const row of rows) assert.equal(typeof matches(row), 'boolean');
    return true;
  },
};

const token = (...parts: readonly unknown[]) =>
  Buffer.from(JSON.stringify(parts)).toString('base64url');

const pageToken: Target = {
  name: 'page-token',
  weight: 10,
  samples: texts(token('hosts/h1', ''), token('vms/v17', 'state = normal'), token(1, 2), 'W10'),
  feed(bytes) {
    const asked = {pageSize: 1, pageToken: bytes.toString(), filter: ''};
    const key = accepted(() => ({key: lastKeyOf(asked)}));
    return key !== undefined;
  },
};

/** Anybody can compute its checksum: half of them have the right one. */
const resumeToken: Target = {
  name: 'resume-token',
  weight: 10,
  samples: [
    new Map([[0, {offset: 7, epoch: 3, tickNumber: 5, inboxOffset: -1}]]),
    new Map([
      [5, {offset: 1e12, epoch: 1e6, tickNumber: -1, inboxOffset: 70}],
      [63, {offset: 0, epoch: 0, tickNumber: 0, inboxOffset: 0}],
    ]),
  ].map(places => Buffer.from(encodeResumeToken(places, 'hosts '), 'base64url')),
  feed(bytes, random) {
    const end = Math.max(0, bytes.length - 4);
    if (bytes.length >= 4 && random.next() < 0.5)
      bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end);
    const places = accepted(() => decodeResumeToken(bytes.toString('base64url'), undefined));
    if (places === undefined) return false;
    for (const [partition, {offset, epoch, tickNumber, inboxOffset}] of places) {
      const numbers = [partition, offset, epoch, tickNumber, inboxOffset];
      assert.ok(numbers.every(number => Number.isSafeInteger(number) && number >= -1));
    }
    const again = encodeResumeToken(places, 'hosts ');
    assert.deepEqual(decodeResumeToken(again, undefined), places);
    return true;
  },
};

const address: Target = {
  name: 'address',
  weight: 5,
  samples: texts('127.0.0.1:7070', '[::1]:0', 'host.example:65535', 'x:99999'),
  feed(bytes) {
    const found = parseAddress(bytes.toString());
    if (found === undefined) return false;
    assert.deepEqual(parseAddress(formatAddress(found)), found);
    return true;
  },
};

export const textTargets: readonly Target[] = [
  yaml,
  environment,
  filter,
  pageToken,
  resumeToken,
  address,
];
