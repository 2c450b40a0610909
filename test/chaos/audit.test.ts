/** The oracle can see: each lie is planted once, in a small fleet where all is well, and is found. */
import test from 'ava';
import type {OracleLine} from '../../cli/datacenter-oracle.ts';
import type {EffectResult, IssuedEffect} from '../../core/domain/effects.ts';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import type {Tick, Transition} from '../../core/domain/records.ts';
import {codec} from '../../proto/codec.ts';
import {aTick} from '../api/records.ts';
import {audit, countFindings, type Findings, type Stored, showFindings} from '../support/audit.ts';
import {type Dump, fold, type LoggedRecord} from '../support/kept.ts';
import {hostBatch, hostFacts, vm} from '../support/partition.ts';
import {toTold} from '../support/told.ts';
import {type Takeover, takeoversOf} from './takeovers.ts';

const PARTITION = 3;

/** Everything that happened to two hosts and one VM, and everything that was kept of it. */
function aFleet() {
  const batches = ['h1', 'h1', 'h2'].map((host, index) => ({
    host,
    seq: host === 'h2' ? 1 : index + 1,
  }));
  const telemetry = batches.map(({host, seq}) =>
    codec.encodeTelemetry({
      kind: 'batch',
      batch: hostBatch(host, seq, [{atMs: 10}], {incarnation: 7}),
    }),
  );
  const effect: IssuedEffect = {
    id: '3/5/1/0',
    kind: 'start-migration',
    host: 'h1',
    vm: 'v1',
    targetHost: 'h2',
    weightPercent: 0,
    deadlineMs: 99,
    agent: 'h1',
    address: '',
  };
  const result: EffectResult = {id: effect.id, status: 'done', code: '', message: '', figures: {}};
  const moves = [aMove(1, 'normal', 'at-risk.watching'), aMove(2, 'at-risk.watching', 'normal')];
  const lines: OracleLine[] = [
    ...batches.map(({host: edge, seq}) => ({
      ...{
        kind: 'batch' as const,
        wallMs: 0,
        edge,
        cell: 'c1',
        incarnation: 7,
        seq,
        atMs: 10,
        rows: 1,
      },
      lastValue: Math.fround(0.1),
    })),
    {kind: 'ack', wallMs: 0, edge: 'h1', incarnation: 7, seq: 2},
    {kind: 'ack', wallMs: 0, edge: 'h2', incarnation: 7, seq: 1},
    {
      kind: 'effect',
      wallMs: 0,
      effect: effect.kind,
      ...pickOf(effect),
      atMs: 10,
      status: 'running',
      code: '',
    },
    {kind: 'placement', wallMs: 0, vm: 'v1', host: 'h2', state: 'running', atMs: 10},
  ];
  const stored = new Map(
    batches.map(({host, seq}) => [
      `${host}/7/${seq}`,
      {rows: 1, hostValue: Math.fround(0.1) as number | null},
    ]),
  );
  return {
    lines,
    telemetry,
    inbox: [inboxOf(result)],
    ticks: [
      aTick(1, {epoch: 5, transitions: [moves[0] as Transition], effects: [effect]}),
      aTick(2, {epoch: 5, transitions: [moves[1] as Transition]}),
      aTick(3, {epoch: 5, inventory: [hostFacts('h1'), hostFacts('h2', {vms: [vm('v1')]})]}),
    ] as Tick[],
    moves,
    stored,
    storedMoves: [...moves],
    effect,
    result,
  };
}

type Fleet = ReturnType<typeof aFleet>;

const pickOf = ({id, agent, host, vm: name, targetHost}: IssuedEffect) => ({
  ...{id, agent, host, targetHost},
  vm: name,
});

function aMove(seq: number, from: string, to: string): Transition {
  const rest = {machine: 'host', machineVersion: 1, event: 'risk.raised', context: '{}'};
  return {actor: 'hosts/h1', seq, from, to, ...rest};
}

function inboxOf(result: EffectResult): Uint8Array {
  const base = {requestId: result.id, atMs: 1, author: 'executor'};
  return codec.encodeInbox({kind: 'effect-result', ...base, result});
}

function judge(fleet: Fleet): Findings {
  const lying = (value: Uint8Array, offset: number): LoggedRecord => ({
    partition: PARTITION,
    offset,
    value,
  });
  const epoch = codec.encodeJournal({kind: 'epoch', epoch: {epoch: 5, owner: 'a/1', address: ''}});
  const ticks = fleet.ticks.map(tick => codec.encodeJournal({kind: 'tick', tick}));
  const dump: Dump = {
    telemetry: fleet.telemetry.map(lying),
    inbox: fleet.inbox.map(lying),
    journal: [epoch, ...ticks].map(lying),
  };
  const stored: Stored = {batches: fleet.stored, transitions: fleet.storedMoves};
  return audit(toTold(fleet.lines), fold(dump), stored);
}

test('where all is well nothing is found', t => {
  t.deepEqual(showFindings(judge(aFleet())), []);
});

const lies: Partial<Record<keyof Findings, (fleet: Fleet) => void>> = {
  ackedBatchesLost: fleet => fleet.telemetry.shift(),
  batchesCutShort: ({lines}) => Object.assign(lines[0] as OracleLine, {rows: 2}),
  ackedBatchesNotStored: ({stored}) => stored.delete('h2/7/1'),
  batchesStoredWrong: ({stored}) => stored.set('h2/7/1', {rows: 2, hostValue: Math.fround(0.1)}),
  lastValuesWrong: ({stored}) => stored.set('h2/7/1', {rows: 1, hostValue: 0.2}),
  batchesFromNowhere: fleet => fleet.lines.shift(),
  ticksOutOfOrder: fleet => fleet.ticks.splice(1, 1),
  chainsBroken: ({moves}) => Object.assign(moves[1] as Transition, {from: 'migrating'}),
  transitionsStoredWrong: ({storedMoves, moves}) => storedMoves.push(moves[0] as Transition),
  effectsBegunTwice: ({lines}) =>
    lines.push(lines.find(({kind}) => kind === 'effect') as OracleLine),
  effectsFromNowhere: ({effect}) => Object.assign(effect, {id: '9/9/9/9'}),
  effectsWithoutResult: fleet => fleet.inbox.pop(),
  resultsThatDisagree: ({inbox, result}) => inbox.push(inboxOf({...result, status: 'failed'})),
  abandonedButBegun: fleet => {
    fleet.inbox = [inboxOf({...fleet.result, status: 'abandoned'})];
  },
  doneButNeverBegun: fleet => {
    fleet.lines = fleet.lines.filter(({kind}) => kind !== 'effect');
  },
  violations: ({lines}) => lines.push({kind: 'violation', wallMs: 0, what: 'two of v1', atMs: 9}),
  vmsOnTwoHosts: ({ticks}) =>
    ticks.push(aTick(4, {epoch: 5, inventory: [hostFacts('h1', {vms: [vm('v1')]})]})),
  vmsMisplaced: ({ticks}) =>
    ticks.push(
      aTick(4, {epoch: 5, inventory: [hostFacts('h1', {vms: [vm('v1')]}), hostFacts('h2')]}),
    ),
};

for (const finding of Object.keys(countFindings(judge(aFleet()))) as (keyof Findings)[]) {
  test(`the oracle sees ${finding}`, t => {
    const fleet = aFleet();
    lies[finding]?.(fleet);
    t.true(judge(fleet)[finding].length > 0);
  });
}

test('a repeated batch is no loss, and ticks of a lower epoch do not count', t => {
  const fleet = aFleet();
  fleet.telemetry.push(fleet.telemetry[0] as Uint8Array);
  fleet.ticks.push(aTick(4, {epoch: 4, transitions: [aMove(9, 'x', 'y')]}));
  t.deepEqual(showFindings(judge(fleet)), []);
});

test('what an edge gave up as a gap, and what died before its spool, is not missed', t => {
  const fleet = aFleet();
  fleet.telemetry[0] = codec.encodeTelemetry({
    kind: 'gap',
    gap: {edge: 'h1', cell: 'c1', incarnation: 7, fromSeq: 1, toSeq: 1, reason: 'dropped'},
  });
  fleet.stored.delete('h1/7/1');
  const [first] = fleet.lines;
  fleet.lines.push({...first, seq: 3} as OracleLine);
  fleet.lines.push({...first, incarnation: 8, seq: 1} as OracleLine);
  t.deepEqual(showFindings(judge(fleet)), []);
  t.is(HOST_METRICS.columns[0], 'cpu_utilisation_ratio', 'what the stores are asked for');
});

test('an effect has no result yet when the host of its agent is down at the end', t => {
  const fleet = aFleet();
  fleet.inbox.pop();
  fleet.lines = fleet.lines.map(line =>
    line.kind === 'batch' && line.edge === 'h2' ? {...line, atMs: 20} : line,
  );
  t.deepEqual(showFindings(judge(fleet)), []);
});

test('a takeover is counted from the kill to the first decision of the next owner', t => {
  const lies = (value: Uint8Array, offset: number, atMs: number): LoggedRecord => ({
    partition: PARTITION,
    offset,
    value,
    atMs,
  });
  const epoch = (number: number, owner: string) =>
    codec.encodeJournal({kind: 'epoch', epoch: {epoch: number, owner, address: ''}});
  const tick = (number: number, of: Partial<Tick>) =>
    codec.encodeJournal({kind: 'tick', tick: aTick(number, of)});
  const journal = [
    lies(epoch(1, 'host/10'), 0, 100),
    lies(tick(1, {epoch: 1, transitions: [aMove(1, 'a', 'b')]}), 1, 200),
    lies(epoch(3, 'host/20'), 2, 900),
    lies(tick(2, {epoch: 1, transitions: [aMove(2, 'b', 'c')]}), 3, 950),
    lies(tick(2, {epoch: 3}), 4, 1_000),
    lies(tick(3, {epoch: 3, transitions: [aMove(2, 'b', 'c')]}), 5, 1_300),
  ];
  const {ticks} = fold({telemetry: [], inbox: [], journal});
  const found = (pid: number, next = Number.POSITIVE_INFINITY): Takeover[] =>
    takeoversOf({wallMs: 500, pid}, next, journal, ticks);
  t.deepEqual(found(10), [{partition: PARTITION, killedAtMs: 500, tickMs: 500, decisionMs: 800}]);
  t.deepEqual(found(20), [], 'it did not own it then');
  t.deepEqual(found(10, 1_200), [], 'the next kill came first');
});
