import test from 'ava';
import {DEFAULT_FLAG_POLICY, type FlagState, nextFlag} from '../../core/domain/intent-policy.ts';
import {RISK_OUTPUTS, riskColumn} from '../../core/domain/reboot-risks.ts';
import fc from '../support/fast-check.ts';

const {drain: POLICY} = DEFAULT_FLAG_POLICY;

/** Risks of which only these are not 0. */
function risksOf(told: Readonly<Record<string, number>>): number[] {
  return RISK_OUTPUTS.map(output => told[output] ?? 0);
}

/** A flag after these risks within 30 minutes, one every ten seconds. */
function after(...risks: readonly (number | undefined)[]): FlagState {
  return risks.reduce<FlagState>(
    (state, risk, at) =>
      nextFlag(
        state,
        POLICY,
        risk === undefined ? risk : risksOf({'crash-30m': risk}),
        at * 10_000,
      ),
    {},
  );
}

for (const [told, horizon, cause] of [
  [{'crash-30m': 0.74}, undefined, undefined],
  [{'crash-30m': 0.75}, 30, 'crash'],
  [{'intentional-15m': 0.8, 'intentional-30m': 0.9}, 15, 'intentional'],
  [{'intentional-1m': 0.4, 'crash-1m': 0.4, 'crash-30m': 0.6}, 1, 'intentional'],
  [{'intentional-5m': 0.3, 'crash-5m': 0.5}, 5, 'crash'],
  [{'normal-30m': 1}, undefined, undefined],
] as const) {
  test(`at ${JSON.stringify(told)} the flag is ${horizon === undefined ? 'down' : `up: ${cause} within ${horizon} min`}`, t => {
    const {notice} = nextFlag({}, POLICY, risksOf(told), 1000);
    t.is(notice?.horizonMinutes, horizon);
    t.is(notice?.cause, cause);
    if (notice !== undefined) t.like(notice, {atMs: 1000, expiresAtMs: 301_000});
  });
}

test('what is saved must be worth what it costs, whatever the units', t => {
  for (const [gain, cost, least] of [
    [4, 3, 0.75],
    [40, 30, 0.75],
    [10, 1, 0.1],
    [1, 2, Number.POSITIVE_INFINITY],
  ] as const) {
    for (const risk of [0.05, 0.1, 0.5, 0.75, 1]) {
      const {notice} = nextFlag({}, {gain, cost}, risksOf({'crash-30m': risk}), 0);
      t.is(notice !== undefined, risk >= least, `${risk} × ${gain} against ${cost}`);
    }
  }
});

test('it comes down after a minute below half of what raised it', t => {
  t.truthy(after(0.9, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3).notice);
  t.is(after(0.9, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3).notice, undefined);
});

test('a risk that is only somewhat lower keeps it up, and renewed', t => {
  const calm = new Array(6).fill(0.3);
  const {notice} = after(0.9, ...calm, 0.5, ...calm, 0.4, ...calm);
  t.true((notice?.atMs ?? 0) >= 120_000);
  t.is((notice?.expiresAtMs ?? 0) - (notice?.atMs ?? 0), 300_000);
});

test('it is said anew once a minute, not with every risk', t => {
  const first = after(0.9).notice;
  t.deepEqual(after(0.9, 0.95, 0.8, 0.9, 0.9, 0.9).notice, first);
  t.is(after(0.9, 0.95, 0.8, 0.9, 0.9, 0.9, 0.8).notice?.atMs, 60_000);
});

test('while nothing is known it stays until it expires', t => {
  const unknown = new Array(29).fill(undefined);
  t.deepEqual(after(0.9, ...unknown).notice, after(0.9).notice);
  t.is(after(0.9, ...unknown, undefined).notice, undefined);
  t.is(after(undefined).notice, undefined);
});

test('however risks go: low ones never raise it, and it is written at most once a minute', t => {
  const risk = fc.oneof(fc.double({min: 0, max: 1, noNaN: true}), fc.constant(undefined));
  fc.assert(
    fc.property(fc.array(risk, {maxLength: 200}), risks => {
      let state: FlagState = {};
      let writtenAtMs = Number.NEGATIVE_INFINITY;
      for (const [at, told] of risks.entries()) {
        const before = state.notice;
        const nowMs = at * 10_000;
        const row = told === undefined ? told : risksOf({'intentional-30m': told});
        state = nextFlag(state, POLICY, row, nowMs);
        if (before === undefined && state.notice !== undefined) t.true((told ?? 0) >= 0.75);
        if (state.notice === before || state.notice === undefined) continue;
        t.true(nowMs - writtenAtMs >= 60_000);
        writtenAtMs = nowMs;
      }
    }),
  );
});

test('it tells why in words', t => {
  const told = risksOf({'intentional-30m': 0.7, 'crash-30m': 0.1});
  t.is(
    nextFlag({}, POLICY, told, 0).notice?.why,
    '80 % to go down within 30 min (70 % on purpose, 10 % by a crash): saves 3.20 min of work for 3.00',
  );
  t.is(riskColumn('crash', 30), told.indexOf(0.1));
});
