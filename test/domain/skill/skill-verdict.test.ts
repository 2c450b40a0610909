import test from 'ava';
import {
  anyFigures,
  type SkillFigures,
  skillFigures,
} from '../../../core/domain/skill/skill-figures.ts';
import {skillVerdict} from '../../../core/domain/skill/skill-verdict.ts';
import {BROKEN, DAY_MS, live, type Model, SOUND, START_MS} from './simulated-cell.ts';

const MONTH = 30;
const HOSTS = 20;
/** More of them, with their figures, stand beside `skillVerdict`. */
const SEEDS = [1, 2, 3, 4];

type Seen = {flagged: boolean; helped: boolean; episodes: number; because: string};

/** Asks once a day for a month, and stops at the first alarm. */
function ask(model: Model, seed: number): Seen {
  const seen: Seen = {flagged: false, helped: false, episodes: 0, because: ''};
  const eachDay = (figures: SkillFigures) => {
    const {verdict, because} = skillVerdict(figures);
    seen.episodes = anyFigures(figures)?.skill.episodes ?? 0;
    if (verdict === 'helps') seen.helped = true;
    seen.flagged = verdict === 'no-skill';
    seen.because = because;
    return seen.flagged;
  };
  live({seed: seed * 7919, hosts: HOSTS, days: MONTH, model, eachDay});
  return seen;
}

for (const [name, model] of Object.entries(SOUND)) {
  test(`a sound model that is ${name} is not taken for useless in a month, and is proven`, t => {
    const runs = SEEDS.map(seed => ask(model, seed));
    t.deepEqual(
      runs.filter(({flagged}) => flagged),
      [],
      `seeds ${SEEDS.join()}`,
    );
    t.true(runs.filter(({helped}) => helped).length >= SEEDS.length - 1);
  });
}

for (const [name, model] of Object.entries(BROKEN)) {
  test(`a model whose risks are ${name} is caught within few failures, and never proven`, t => {
    const runs = SEEDS.map(seed => ask(model, seed));
    const caught = runs.filter(({flagged, episodes}) => flagged && episodes <= 30);
    t.true(caught.length >= SEEDS.length - 1, JSON.stringify(runs));
    const middle = runs.map(({episodes}) => episodes).sort((a, b) => a - b)[SEEDS.length / 2 - 1];
    t.true((middle as number) <= 14, `${middle} failures in the middle`);
    t.false(runs.some(({helped}) => helped));
  });
}

test('a model that breaks after a good month is caught by the newest failures', t => {
  const state = live({seed: 5, hosts: HOSTS, days: MONTH, model: SOUND.exact as Model});
  t.is(skillVerdict(skillFigures(state)).verdict, 'helps');
  let day = 0;
  live({
    seed: 6,
    hosts: HOSTS,
    days: MONTH,
    model: BROKEN.shuffled as Model,
    state,
    fromMs: START_MS + MONTH * DAY_MS,
    eachDay: (figures, today) => {
      day = today;
      return skillVerdict(figures).verdict === 'no-skill';
    },
  });
  t.true(day < MONTH, `day ${day}`);
});

test('nothing is said before there is something to say, and numbers stand in every reason', t => {
  const state = live({seed: 1, hosts: HOSTS, days: 1, model: SOUND.exact as Model});
  const {verdict, because} = skillVerdict(skillFigures(state));
  t.is(verdict, 'unproven');
  t.regex(because, /^\d of the 8 failures that are needed/);
  t.regex(ask(BROKEN.inverted as Model, 1).because, /\d+ of \d+ alerts came true: odds of \d+/);
  t.regex(ask(BROKEN.constant as Model, 1).because, /hardly apart: .* \d+ %/);
});
