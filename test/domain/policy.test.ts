import test from 'ava';
import {interruptionCost, vmWeight} from '../../core/domain/cost.ts';
import {DEFAULT_POLICY} from '../../core/domain/policy.ts';
import {defaultRetention} from '../../core/domain/retention.ts';

const {band, costs, budgets, target, silence, breaker} = DEFAULT_POLICY;

/** Every number of an object, however deep, with its path. */
function numbers(value: object, path = ''): [path: string, value: number][] {
  return Object.entries(value).flatMap(([key, inner]) => {
    if (typeof inner === 'number') return [[`${path}${key}`, inner] as [string, number]];
    return typeof inner === 'object' ? numbers(inner, `${path}${key}.`) : [];
  });
}

test('by default nothing is done: the mode is observe', t => {
  t.is(DEFAULT_POLICY.mode, 'observe');
});

test('every default is a positive finite number, every ratio at most one', t => {
  for (const [path, value] of numbers(DEFAULT_POLICY)) {
    // There is no trial of acting unless somebody asks for one.
    if (path === 'holdBack.share') t.is(value, 0);
    else t.true(Number.isFinite(value) && value > 0, path);
    if (/Ratio|risk|enter$|leave$/.test(path)) t.true(value <= 1, path);
    if (path.endsWith('Ms')) t.is(value % 1000, 0, path);
  }
});

test('the band has hysteresis, and its holds fit into the horizon', t => {
  t.true(band.leave < band.enter);
  t.true(band.enterHoldMs < band.leaveHoldMs);
  t.true(band.enterHoldMs + band.leaveHoldMs < DEFAULT_POLICY.horizonMs);
});

test('a host that may be a target is below the band in which VMs leave it', t => {
  t.true(target.riskLimit <= band.enter);
});

test('knowledge is stale before a host is fenced for silence, sooner when it was announced', t => {
  t.true(silence.staleAfterMs < silence.fenceAtRiskAfterMs);
  t.true(silence.fenceAtRiskAfterMs < silence.fenceAfterMs);
});

test('costs rank as reality does: takeover, restart, interruption', t => {
  t.true(costs.ghostTakeoverMinutes < costs.restartMinutes);
  t.true(costs.restartMinutes < costs.interruptionMinutes);
  t.true(vmWeight(0, costs) > 0);
  const vm = {criticality: 1};
  t.true(
    interruptionCost({...vm, ghostArmed: true}, costs) <
      interruptionCost({...vm, ghostArmed: false}, costs) / 2,
  );
});

test('a certain loss of a critical VM is worth a move, a small risk of an expendable one is not', t => {
  const loss = (criticality: number) => interruptionCost({criticality, ghostArmed: false}, costs);
  t.true(loss(1) > costs.moveMinutes);
  t.true(0.1 * loss(0) < costs.moveMinutes);
});

test('one host cannot use up the budget of its cell', t => {
  t.true(budgets.concurrentPerHost < budgets.concurrentPerCell);
  t.true(budgets.concurrentPerCell < budgets.movesPerHourPerCell);
  t.true(breaker.hostsAtRiskMin >= 2);
});

test('the journal and the inbox outlive the checkpoints, scores are gone first', t => {
  const {journal, inbox, checkpoints, telemetry, scores} = defaultRetention;
  t.true(journal.ageMs > checkpoints.ageMs && inbox.ageMs >= journal.ageMs);
  t.true(checkpoints.ageMs > telemetry.ageMs && telemetry.ageMs > scores.ageMs);
  t.true(Number.isFinite(telemetry.bytes));
});
