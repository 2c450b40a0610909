import test from 'ava';
import type {HostOutcome} from '../../../core/domain/observed.ts';
import {toHostEvents} from '../../../models/keeper/host-events.ts';
import {readLedger} from '../../../models/learning/event-ledger.ts';
import {labelRows} from '../../../models/learning/labels.ts';

const MINUTE = 60_000;

type Told = Pick<HostOutcome, 'kind'> & {
  atMs: number;
  recordedAtMs?: number;
  component?: HostOutcome['component'];
  risk?: number;
  propensity?: number;
};

/** Of one host, told when it happened unless said otherwise. */
function outcomes(...told: Told[]): HostOutcome[] {
  return told.map(each => ({
    partition: 1,
    host: 'h1',
    cell: 'c',
    component: '',
    recordedAtMs: each.atMs,
    ...each,
  })) as HostOutcome[];
}

function labelsAt(atMs: number, asOfMs: number, told: HostOutcome[]) {
  const ledger = readLedger(toHostEvents(told), {asOfMs, settleMs: 0});
  const {outcomes: labelled} = labelRows(ledger, [{host: 'h1', atMs}], [1800]);
  return {labels: labelled.map(({label}) => label), counts: ledger.counts};
}

test('a loss whose part is known is a failure of that part and of no other', t => {
  const {labels} = labelsAt(
    0,
    60 * MINUTE,
    outcomes({kind: 'lost', atMs: 9 * MINUTE, component: 'disk'}),
  );
  t.deepEqual(labels, ['negative', 'negative', 'positive', 'negative', 'negative']);
});

test('a loss of an unknown part says nothing of any, until people name it', t => {
  const lost: Told = {kind: 'lost', atMs: 9 * MINUTE};
  t.deepEqual(new Set(labelsAt(0, 60 * MINUTE, outcomes(lost)).labels), new Set(['unknown']));
  const named: Told = {...lost, component: 'power', recordedAtMs: 40 * MINUTE};
  const returned: Told = {kind: 'returned', atMs: 20 * MINUTE};
  const {labels, counts} = labelsAt(0, 60 * MINUTE, outcomes(lost, returned, named));
  t.is(labels[4], 'positive');
  t.is(counts.contradictions, 0);
});

test('a loss that was wanted is a reboot, and the host is up again', t => {
  const told = outcomes(
    {kind: 'lost', atMs: 9 * MINUTE},
    {kind: 'rebooted', atMs: 9 * MINUTE, recordedAtMs: 10 * MINUTE},
    {kind: 'returned', atMs: 12 * MINUTE},
    {kind: 'lost', atMs: 50 * MINUTE, component: 'cpu'},
  );
  const {labels, counts} = labelsAt(30 * MINUTE, 90 * MINUTE, told);
  t.is(labels[0], 'positive');
  t.is(counts.contradictions, 0);
  t.is(counts.gaps, 0);
});

test('a crash that was noticed when the host ran again does not keep it down', t => {
  const told = outcomes(
    {kind: 'crashed', atMs: 9 * MINUTE, recordedAtMs: 11 * MINUTE, component: 'memory'},
    {kind: 'lost', atMs: 50 * MINUTE, component: 'cpu'},
  );
  t.is(labelsAt(0, 90 * MINUTE, told).labels[1], 'positive');
  const later = labelsAt(30 * MINUTE, 90 * MINUTE, told);
  t.is(later.labels[0], 'positive');
  t.is(later.counts.contradictions, 0);
});

test('while nobody watches nothing is known; afterwards it is', t => {
  const unwatched: Told = {kind: 'unwatched', atMs: 5 * MINUTE};
  const open = labelsAt(0, 300 * MINUTE, outcomes(unwatched));
  t.deepEqual(new Set(open.labels), new Set(['unknown']));
  const closed = outcomes(unwatched, {kind: 'returned', atMs: 20 * MINUTE});
  t.deepEqual(new Set(labelsAt(0, 300 * MINUTE, closed).labels), new Set(['unknown']));
  t.deepEqual(new Set(labelsAt(21 * MINUTE, 300 * MINUTE, closed).labels), new Set(['negative']));
  const died = outcomes(unwatched, {kind: 'lost', atMs: 5 * MINUTE, component: 'disk'});
  t.is(labelsAt(0, 300 * MINUTE, died).labels[2], 'positive');
});

test('a host that was evacuated and then taken away is an uncertain failure, never a negative', t => {
  const told = outcomes(
    {kind: 'evacuated', atMs: 5 * MINUTE, component: 'disk', risk: 0.6, propensity: 1},
    {kind: 'taken-away', atMs: 15 * MINUTE},
  );
  t.is(labelsAt(0, 300 * MINUTE, told).labels[2], 'uncertain');
  const unnamed = outcomes({kind: 'evacuated', atMs: 5 * MINUTE, risk: Number.NaN, propensity: 0});
  t.deepEqual(toHostEvents(unnamed), []);
});

test('what was a crash, a reboot or taken away is a failure of the part that people name later', t => {
  const named: Told = {
    kind: 'lost',
    atMs: 9 * MINUTE,
    recordedAtMs: 40 * MINUTE,
    component: 'power',
  };
  const returned: Told = {kind: 'returned', atMs: 45 * MINUTE};
  const tellings: Told[][] = [
    [
      {kind: 'crashed', atMs: 9 * MINUTE},
      {...named, kind: 'crashed'},
    ],
    [
      {kind: 'lost', atMs: 9 * MINUTE},
      {...returned, atMs: 20 * MINUTE},
      {...named, kind: 'crashed'},
    ],
    [{kind: 'taken-away', atMs: 9 * MINUTE}, named, returned],
    [
      {kind: 'lost', atMs: 9 * MINUTE},
      {kind: 'rebooted', atMs: 9 * MINUTE, recordedAtMs: 10 * MINUTE},
      named,
      returned,
    ],
  ];
  for (const told of tellings) {
    const {labels, counts} = labelsAt(0, 60 * MINUTE, outcomes(...told));
    t.deepEqual(labels, ['negative', 'negative', 'negative', 'negative', 'positive']);
    t.is(counts.contradictions, 0, told.map(({kind}) => kind).join());
    const later = outcomes(...told, {kind: 'lost', atMs: 70 * MINUTE, component: 'cpu'});
    t.is(labelsAt(50 * MINUTE, 100 * MINUTE, later).labels[0], 'positive');
  }
});
