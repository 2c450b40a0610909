import test from 'ava';
import {COMPONENTS} from '../../../core/domain/components.ts';
import {type Act, type HostEvent, readLedger} from '../../../models/learning/event-ledger.ts';
import {type LabelledOutcome, labelRows} from '../../../models/learning/labels.ts';
import {weighExamples} from '../../../models/learning/weighted-examples.ts';
import fc from '../../support/fast-check.ts';

const MINUTE_MS = 60_000;
const WEEK_MS = 7 * 24 * 60 * MINUTE_MS;
const HORIZON_SECONDS = 1800;
const FEAR: Act = {component: 'disk', risk: 0.64, propensity: 0.9};

/** Written down at once. */
const at = (minute: number, host = 'h1') => ({
  host,
  atMs: minute * MINUTE_MS,
  recordedAtMs: minute * MINUTE_MS,
});
const failed = (minute: number, component: (typeof COMPONENTS)[number] = 'disk'): HostEvent => ({
  ...at(minute),
  kind: 'failed',
  component,
});

function labelAt(
  minute: number,
  events: readonly HostEvent[],
  asOfMinute = 10_000,
  settleMs = 0,
): Record<(typeof COMPONENTS)[number], LabelledOutcome> {
  const ledger = readLedger(events, {asOfMs: asOfMinute * MINUTE_MS, settleMs});
  const rows = [{host: 'h1', atMs: minute * MINUTE_MS}];
  const {outcomes} = labelRows(ledger, rows, [HORIZON_SECONDS]);
  return Object.fromEntries(COMPONENTS.map((name, index) => [name, outcomes[index]])) as Record<
    (typeof COMPONENTS)[number],
    LabelledOutcome
  >;
}

test('the part that fails within the horizon is a positive, all that was watched else a negative', t => {
  const {disk, cpu} = labelAt(100, [failed(120)]);
  t.is(disk.label, 'positive');
  t.is(cpu.label, 'negative');
  t.is(labelAt(100, [failed(131)]).disk.label, 'negative');
  t.is(labelAt(120, [failed(120)]).disk.label, 'negative', 'what is past is no future');
  t.is(labelAt(100, []).disk.label, 'negative');
});

test('a crash is of the part that was found while the host was down, else of nobody knows which', t => {
  const crashed: HostEvent = {...at(110), kind: 'crashed'};
  const repaired: HostEvent = {...at(115), kind: 'repaired', component: 'memory'};
  t.is(labelAt(100, [crashed]).memory.label, 'unknown');
  t.is(labelAt(100, [crashed, repaired]).memory.label, 'positive');
  t.is(labelAt(100, [crashed, repaired]).disk.label, 'negative');
  const returned: HostEvent = {...at(112), kind: 'returned'};
  t.is(labelAt(100, [crashed, returned, repaired]).memory.label, 'unknown');
});

test('an intended reboot, and time that nobody watched, say nothing', t => {
  t.is(labelAt(100, [{...at(110), kind: 'rebooted'}]).disk.label, 'unknown');
  const blind: HostEvent = {...at(90), kind: 'unobserved', untilMs: 105 * MINUTE_MS};
  t.is(labelAt(100, [blind]).disk.label, 'unknown');
  t.is(labelAt(106, [blind]).disk.label, 'negative');
  t.is(labelAt(100, [blind, failed(120)]).disk.label, 'positive', 'that it failed is known');
  t.is(labelAt(100, [blind, failed(120)]).cpu.label, 'unknown');
});

test('a host that was emptied and watched on is labelled by what was seen', t => {
  const evacuated: HostEvent = {...at(110), kind: 'evacuated', act: FEAR};
  const quiet = labelAt(100, [evacuated]).disk;
  t.like(quiet, {label: 'negative', action: 'evacuated', propensity: 0.9});
  const seen = labelAt(100, [evacuated, failed(120)]).disk;
  t.like(seen, {label: 'positive', action: 'evacuated'});
  t.is(labelAt(100, [evacuated]).cpu.action, 'none');
});

test('a failure that was prevented is uncertain and never a negative, whatever else happened', t => {
  const evacuated: HostEvent = {...at(110), kind: 'evacuated', act: FEAR};
  const taken: HostEvent = {...at(115), kind: 'taken-away'};
  const {disk, cpu} = labelAt(100, [evacuated, taken]);
  t.like(disk, {label: 'uncertain', action: 'taken-away', propensity: 0.9});
  t.is(cpu.label, 'unknown', 'nobody feared for it, nobody saw it');
  // 15 of 30 minutes are left when it is taken away.
  t.true(Math.abs(disk.chance - (1 - Math.sqrt(1 - 0.64))) < 1e-12);
  const repaired: HostEvent = {...at(110), kind: 'repaired', component: 'disk', act: FEAR};
  t.like(labelAt(100, [repaired]).disk, {label: 'uncertain', action: 'repaired'});
  const routine: HostEvent = {...at(110), kind: 'repaired', component: 'disk'};
  t.is(labelAt(100, [routine]).disk.label, 'unknown');
});

const anyEvent: fc.Arbitrary<HostEvent> = fc
  .record({
    kind: fc.constantFrom<HostEvent['kind']>(
      'failed',
      'crashed',
      'rebooted',
      'returned',
      'repaired',
      'evacuated',
      'taken-away',
      'changed',
      'unobserved',
    ),
    minute: fc.integer({min: 0, max: 400}),
    delay: fc.integer({min: -20, max: 300}),
    component: fc.constantFrom(...COMPONENTS),
    isActed: fc.boolean(),
    host: fc.constantFrom('h1', 'h2', ''),
  })
  .map(({kind, minute, delay, component, isActed, host}) => {
    const atMs = minute * MINUTE_MS;
    const act = {component, risk: 0.5, propensity: 1};
    return {
      host,
      atMs,
      recordedAtMs: atMs + delay * MINUTE_MS,
      kind,
      component,
      untilMs: atMs + MINUTE_MS * (delay % 50),
      ...(isActed || kind === 'evacuated' ? {act} : {}),
    } as HostEvent;
  });

test('no ledger, however wrong, breaks it, and nothing that is not yet known has a say', t => {
  fc.assert(
    fc.property(
      fc.array(anyEvent, {maxLength: 40}),
      fc.integer({min: 0, max: 600}),
      (events, now) => {
        const asOfMs = now * MINUTE_MS;
        const rows = Array.from({length: 20}, (_, row) => ({
          host: 'h1',
          atMs: row * 20 * MINUTE_MS,
        }));
        const read = (all: readonly HostEvent[]) => readLedger(all, {asOfMs, settleMs: 0});
        const ledger = read(events);
        const {counts} = ledger;
        const known = events.filter(({recordedAtMs}) => recordedAtMs <= asOfMs);
        const labelled = labelRows(ledger, rows, [HORIZON_SECONDS]);
        t.deepEqual(labelled, labelRows(read(known), rows, [HORIZON_SECONDS]));
        t.is(labelled.outcomes.length, 20 * COMPONENTS.length);
        t.is(labelled.fromTheFuture, rows.filter(({atMs}) => atMs > asOfMs).length);
        t.true(Object.values(counts).every(count => count >= 0 && count <= events.length));
        for (const [index, {label, chance}] of labelled.outcomes.entries()) {
          const {atMs} = rows[Math.floor(index / COMPONENTS.length)] as {atMs: number};
          if (atMs > asOfMs) t.is(label, 'unknown');
          if (label === 'uncertain') t.true(chance >= 0 && chance <= 0.5);
          if (label === 'negative')
            t.true(atMs + HORIZON_SECONDS * 1000 <= asOfMs || counts.events > 0);
        }
      },
    ),
    {numRuns: 300},
  );
});

test('events that come a week late change the label as if they had come at once', t => {
  const late: HostEvent = {...failed(120), recordedAtMs: 120 * MINUTE_MS + WEEK_MS};
  const weekMinutes = WEEK_MS / MINUTE_MS;
  const before = 120 + weekMinutes - 1;
  t.is(labelAt(100, [late], before).disk.label, 'negative', 'nobody knows better');
  t.is(labelAt(100, [late], before, WEEK_MS).disk.label, 'unknown', 'unless it waits a week');
  t.deepEqual(
    labelAt(100, [late], 140 + weekMinutes),
    labelAt(100, [failed(120)], 140 + weekMinutes),
  );
  const ledger = readLedger([late], {asOfMs: 3 * WEEK_MS, settleMs: MINUTE_MS});
  t.is(ledger.counts.late, 1);
});

test('events of the future are refused, contradictions left out, repeats counted once', t => {
  const events: HostEvent[] = [
    {...failed(120), recordedAtMs: 100 * MINUTE_MS},
    failed(130),
    failed(130),
    {...at(131), kind: 'evacuated', act: FEAR},
    failed(140, 'cpu'),
    {...at(150), kind: 'returned'},
    {...at(160), kind: 'returned'},
    {...at(170), kind: 'evacuated', act: {...FEAR, risk: 1.5}},
    {...at(Number.NaN), kind: 'crashed'},
  ];
  const {counts} = readLedger(events, {asOfMs: WEEK_MS, settleMs: 0});
  t.like(counts, {events: 9, fromTheFuture: 1, duplicates: 1, contradictions: 3, malformed: 2});
  t.is(labelAt(125, events).disk.label, 'positive');
  t.is(labelAt(135, events).cpu.label, 'negative', 'it was down already');
});

test('a host that fails again long after is taken to have returned, and the gap is counted', t => {
  const events = [failed(100), failed(100 + 25 * 60)];
  t.is(readLedger(events, {asOfMs: WEEK_MS, settleMs: 0}).counts.gaps, 1);
  t.is(labelAt(90 + 25 * 60, events).disk.label, 'positive');
});

test('of a time in which the clock of the ledger ran twice nothing is known', t => {
  const events: HostEvent[] = [
    {...at(100, 'h2'), kind: 'changed'},
    {...at(300, 'h2'), kind: 'changed'},
    {...at(200, 'h2'), kind: 'changed'},
  ];
  t.is(readLedger(events, {asOfMs: WEEK_MS, settleMs: 0}).counts.clockJumps, 1);
  t.is(labelAt(250, events).disk.label, 'unknown', 'of any host');
  t.is(labelAt(160, events).disk.label, 'negative');
  t.is(labelAt(310, events).disk.label, 'negative');
});

test('what is uncertain teaches both, by the chance that it would have failed', t => {
  const outcome = (label: LabelledOutcome['label'], chance = Number.NaN): LabelledOutcome => ({
    label,
    chance,
    action: 'none',
    propensity: 1,
  });
  // Of five outputs the second is asked for.
  const row = (wanted: LabelledOutcome) =>
    COMPONENTS.map((_, index) => (index === 1 ? wanted : outcome('positive')));
  const outcomes = [
    outcome('negative'),
    outcome('positive'),
    outcome('uncertain', 0.25),
    outcome('unknown'),
    outcome('uncertain', 0),
  ].flatMap(row);
  const examples = weighExamples({outcomes, horizonsSeconds: [HORIZON_SECONDS]}, 1);
  t.deepEqual([...examples.rows], [0, 1, 2, 2, 4]);
  t.deepEqual([...examples.labels], [0, 1, 1, 0, 0]);
  t.deepEqual([...examples.weights], [1, 1, 0.25, 0.75, 1]);
});
