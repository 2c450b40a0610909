/** A keeper against a registry of aliases, through whatever happens. */
import test from 'ava';
import {decide} from '../../../models/keeper/decide.ts';
import {
  createKeeperState,
  type Happened,
  type KeeperEvent,
  type KeeperMode,
  type Phase,
  type Step,
} from '../../../models/keeper/keeper-state.ts';
import type {Judgement} from '../../../models/keeper/shadow-book.ts';
import {type AliasChange, applyChange} from '../../../models/registry/aliases.ts';
import fc from '../../support/fast-check.ts';
import {
  aliasesAfter,
  done,
  drifted,
  HOUR,
  judged,
  judgement,
  looked,
  OLD,
  OTHER,
  quiet,
  settings,
  train,
} from './keeper-fixtures.ts';

/** Any series of happenings, carried out against aliases as a registry would. */
type Move = {
  kind: 'looked' | 'verdict' | 'trained' | 'people' | 'fail';
  pick: number;
  hours: number;
};

const moves = fc.array(
  fc.record({
    kind: fc.constantFrom<Move['kind']>(
      'looked',
      'looked',
      'looked',
      'verdict',
      'trained',
      'fail',
      'people',
    ),
    pick: fc.nat(1000),
    hours: fc.constantFrom(0, 0, 1, 2, 30),
  }),
  {maxLength: 120},
);

const verdicts = ['better', 'worse', 'open'] as const;

test('whatever happens: nothing is promoted unjudged, no model that is worse, no two trainings within a cool-down', t => {
  fc.assert(
    fc.property(moves, fc.constantFrom<KeeperMode>('auto', 'watch'), (series, mode) => {
      const machine = simulate(mode);
      for (const move of series) machine.go(move);
      const {promoted, trainings, changes, phases} = machine.seen;
      for (const {verdict} of promoted) t.is(verdict, 'better');
      for (const [index, {atMs}] of trainings.entries()) {
        const before = trainings[index - 1];
        if (before !== undefined) t.true(atMs >= before.untilMs, `${atMs} < ${before.untilMs}`);
      }
      if (mode === 'watch') {
        t.is(changes + trainings.length, 0);
        t.false(phases.has('collecting') || phases.has('training'));
      }
    }),
    {numRuns: 400},
  );
});

function simulate(mode: KeeperMode) {
  const author = {who: 'x', why: '', atMs: 0};
  let aliases = aliasesAfter();
  let state = createKeeperState(mode, aliases, 0, {
    refusals: 0,
    coolDownUntilMs: Number.NEGATIVE_INFINITY,
  });
  let atMs = 0;
  let hashes = 0;
  /** The last verdict on the very pair. */
  const verdictOn = new Map<string, Judgement['verdict']>();
  const seen = {
    promoted: [] as {verdict: Judgement['verdict'] | undefined}[],
    trainings: [] as {atMs: number; untilMs: number}[],
    changes: 0,
    phases: new Set<Phase>(),
  };
  const nextHash = () => String(hashes++).padStart(64, '0');
  const change = (wanted: AliasChange) => {
    aliases = applyChange(aliases, wanted, author);
    seen.changes++;
  };
  const happen = (event: Happened, pick: number): void => {
    const decision = decide(state, {...event, atMs, aliases} as KeeperEvent, settings);
    state = decision.state;
    seen.phases.add(state.phase);
    for (const step of decision.steps) perform(step, pick);
  };
  const perform = (step: Step, pick: number): void => {
    if (step.kind === 'train') {
      seen.trainings.push({atMs, untilMs: step.coolDownUntilMs});
      return;
    }
    if (step.kind === 'judge') {
      const verdict = verdicts[pick % 3] as Judgement['verdict'];
      const {champion, challenger} = step;
      verdictOn.set(`${champion} ${challenger}`, verdict);
      happen({kind: 'judged', judgement: judgement(verdict, {champion, challenger})}, pick + 1);
      return;
    }
    if (step.kind === 'say' || step.kind === 'note') return;
    if (step.kind === 'promote') {
      seen.promoted.push({verdict: verdictOn.get(`${aliases.champion} ${step.hash}`)});
    }
    change(
      step.kind === 'canary' ? {kind: 'canary', percent: step.percent} : (step as AliasChange),
    );
    happen(done(step), pick);
  };
  const people = (pick: number): void => {
    const {challenger, previous} = aliases;
    const before = seen.changes;
    if (pick % 4 === 0) change({kind: 'challenge', hash: nextHash()});
    else if (pick % 4 === 1) change({kind: 'promote', hash: nextHash()});
    else if (pick % 4 === 2 && previous !== null) change({kind: 'rollback'});
    else if (challenger !== null) change({kind: 'withdraw'});
    seen.changes = before;
  };
  return {
    seen,
    go({kind, pick, hours}: Move) {
      atMs += hours * HOUR;
      const failures = pick % 400;
      const sight = {...(pick % 2 === 0 ? drifted : quiet), failures};
      if (kind === 'looked') happen(looked(sight), pick);
      else if (kind === 'people') people(pick);
      else if (kind === 'trained' && state.training)
        happen({kind: 'trained', hash: nextHash()}, pick);
      else if (kind === 'fail' && state.training)
        happen({kind: 'failed', step: train, why: 'it died'}, pick);
      else if (kind === 'verdict') {
        // Of a pair that is not compared any more, too.
        happen(
          judged(verdicts[pick % 3] as Judgement['verdict'], {champion: OTHER, challenger: OLD}),
          pick,
        );
      }
    },
  };
}
