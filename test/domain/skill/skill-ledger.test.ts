import {deserialize, serialize} from 'node:v8';
import test from 'ava';
import {skillFigures} from '../../../core/domain/skill/skill-figures.ts';
import {takeOutcome} from '../../../core/domain/skill/skill-fold.ts';
import {DEFAULT_SKILL_SETTINGS} from '../../../core/domain/skill/skill-settings.ts';
import {createSkillState, type SkillState} from '../../../core/domain/skill/skill-state.ts';
import fc from '../../support/fast-check.ts';
import {anyLedger, at, move, outcome, type Told, tell, watch} from './events.ts';

const fresh = () => createSkillState(DEFAULT_SKILL_SETTINGS);

function told(ledger: readonly Told[], state = fresh()): SkillState {
  for (const each of ledger) tell(state, each);
  return state;
}

/** Figures without the counters, which say what was wrong with the ledger. */
const figuresOf = (state: SkillState) => ['m', 'm2'].map(model => skillFigures(state, model));

test('whatever the ledger says is survived, and every share is one', t => {
  fc.assert(
    fc.property(anyLedger, ledger => {
      const state = told(ledger);
      for (const {outputs, alerts, acts} of figuresOf(state)) {
        const sums = [alerts.happened, alerts.didNot, alerts.unverifiable];
        const judged = sums.reduce((a, b) => a + b, 0);
        const done = acts.avoided + acts.needless + acts.tooLate + acts.unknown;
        if (judged > alerts.alerts || done > acts.acts) return false;
        if (alerts.happened > alerts.failures + alerts.alerts) return false;
        for (const {baseRate, forecasts} of outputs) {
          if (forecasts > 0 && !(baseRate >= 0 && baseRate <= 1)) return false;
        }
        for (const share of [alerts.precision, alerts.recall]) {
          if (!Number.isNaN(share) && !(share >= 0 && share <= 1)) return false;
        }
      }
      return true;
    }),
    {numRuns: 400},
  );
  t.pass();
});

test('an outcome that is told twice changes no figure the second time', t => {
  fc.assert(
    fc.property(anyLedger, ledger => {
      const twice = ledger.flatMap(each =>
        each.kind === 'outcome' && each.outcome.kind !== 'returned' ? [each, each] : [each],
      );
      t.deepEqual(figuresOf(told(twice)), figuresOf(told(ledger)));
    }),
    {numRuns: 200},
  );
});

test('a fold that is stored and read half-way gives the same bytes', t => {
  fc.assert(
    fc.property(anyLedger, fc.nat(120), (ledger, cut) => {
      const whole = told(ledger);
      const half = deserialize(serialize(told(ledger.slice(0, cut)))) as SkillState;
      t.true(bytesOf(told(ledger.slice(cut), half)).equals(bytesOf(whole)));
    }),
    {numRuns: 200},
  );
});

/** As they are after they were read: a number may be written in two ways. */
function bytesOf(state: SkillState): Buffer {
  return serialize(deserialize(serialize(state)));
}

test('ticks that took nothing may be left out', t => {
  const kinds = ['forecast', 'forecast', 'forecast', 'lost', 'returned', 'alert', 'act'] as const;
  const steps = fc.array(fc.tuple(fc.integer({min: 1, max: 9}), fc.constantFrom(...kinds)), {
    minLength: 20,
    maxLength: 80,
  });
  fc.assert(
    fc.property(steps, all => {
      const dense = fresh();
      const sparse = fresh();
      let now = 0;
      for (const [passed, kind] of all) {
        for (let minute = now + 1; minute <= now + passed; minute++) {
          tell(dense, {kind: 'tick', atMs: at(minute)});
        }
        now += passed;
        tell(sparse, {kind: 'tick', atMs: at(now)});
        for (const state of [dense, sparse]) tell(state, eventAt(kind, now));
      }
      t.true(bytesOf(dense).equals(bytesOf(sparse)));
    }),
    {numRuns: 200},
  );
});

function eventAt(kind: 'forecast' | 'lost' | 'returned' | 'alert' | 'act', minute: number): Told {
  const host = 'h07';
  const atMs = at(minute);
  if (kind === 'alert') return {kind, host, atMs, risk: 0.4};
  if (kind === 'act') return {kind, act: move(`d${minute}`, minute)};
  if (kind !== 'forecast') return {kind: 'outcome', outcome: outcome(host, minute, kind)};
  return {kind, host, atMs, modelHash: 'm', risks: [0.1, 0, 0, 0, 0, Number.NaN]};
}

const failures = (state: SkillState) => skillFigures(state).alerts.failures;

test('two losses in a row are one failure, and the second one names the part', t => {
  const state = fresh();
  watch(state, ['h07'], 0, 60);
  takeOutcome(state, outcome('h07', 58, 'lost'));
  takeOutcome(state, outcome('h07', 60, 'lost', 'disk'));
  t.is(failures(state), 1);
  t.is(state.lives[0]?.[0]?.component, 'disk');
  watch(state, ['h07'], 61, 150);
  const disk = skillFigures(state).outputs.find(({output}) => output === 'disk');
  t.true((disk?.baseRate ?? 0) > 0, 'its forecasts of before are known to be of the disk');
});

test('of a failure whose part nobody named only that it happened is known', t => {
  const state = fresh();
  watch(state, ['h07'], 0, 60);
  takeOutcome(state, outcome('h07', 58, 'lost'));
  watch(state, ['h07'], 61, 150);
  const {outputs} = skillFigures(state);
  const of = (name: string) => outputs.find(({output}) => output === name);
  t.is((of('disk')?.baseRate ?? 1) * (of('disk')?.forecasts ?? 0), 0);
  // Six within half an hour of it, and one that was made before it was known to be down.
  t.is(of('disk')?.unverifiable, 7);
  t.is(Math.round((of('any')?.baseRate ?? 0) * (of('any')?.forecasts ?? 0)), 6);
});

test('a return of a host that is there, and one of before its loss, are counted and ignored', t => {
  const state = fresh();
  watch(state, ['h07'], 0, 60);
  takeOutcome(state, outcome('h07', 30, 'returned'));
  takeOutcome(state, outcome('h07', 58, 'lost'));
  takeOutcome(state, outcome('h07', 40, 'returned'));
  t.is(state.counters.contradictions, 2);
  watch(state, ['h07'], 61, 70);
  t.is(state.counters.forecastsWhileAway, 2, 'it is down still');
});

test('an outcome of a host that nobody forecast is counted', t => {
  const state = fresh();
  takeOutcome(state, outcome('h99', 1, 'lost'));
  t.is(state.counters.unknownHosts, 1);
});

test('time that goes backwards stands still', t => {
  const state = fresh();
  watch(state, ['h07'], 0, 60);
  const before = serialize(state.pending);
  watch(state, ['h07'], 20, 40);
  t.deepEqual(serialize(state.pending), before);
  t.is(state.counters.timesBackwards, 21);
  t.is(state.counters.forecastsOutOfOrder, 5);
});

test('of a time without ticks nothing is said, except of what failed before it', t => {
  const state = fresh();
  watch(state, ['h07', 'h08'], 0, 60);
  takeOutcome(state, outcome('h08', 60, 'lost'));
  watch(state, ['h07'], 120, 240);
  const any = skillFigures(state).outputs.find(({output}) => output === 'any');
  t.is(state.counters.gaps, 1);
  // Those of h07 at 35 to 60 minutes look into the gap; those of h08 at 60 and later are none.
  t.is(any?.unverifiable, 6 + 1);
  t.is(Math.round((any?.baseRate ?? 0) * (any?.forecasts ?? 0)), 6);
});
