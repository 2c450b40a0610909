import {join} from 'node:path';
import test from 'ava';
import {systemClock} from '../../../core/adapters/clock-system.ts';
import {nodeFiles} from '../../../core/adapters/files-node.ts';
import {createMemoryLog} from '../../../core/adapters/log-memory.ts';
import {DEFAULT_CONFIG} from '../../../core/config-schema.ts';
import {PARTITIONS} from '../../../core/domain/hash.ts';
import {listen} from '../../../core/events.ts';
import {keepModels} from '../../../core/keeping.ts';
import {openRegistry} from '../../../models/registry/registry.ts';
import {createTreesScorer} from '../../../models/scorer-trees.ts';
import {codec} from '../../../proto/codec.ts';
import {makeFolder} from '../registry/fixtures.ts';
import {createWorld, modelOfLaw, upsideDown, writeModel} from './world.ts';

const FAMILY = 'component-failure';

test('what serves where nobody was promoted becomes the first champion; what people force is taken back by the command that all partitions hear', async t => {
  const folder = await makeFolder(t);
  const good = modelOfLaw(0, 1);
  const bad = upsideDown(modelOfLaw(0, 3));
  const configured = await writeModel(join(folder, 'good'), good, 1);
  const forced = await writeModel(join(folder, 'bad'), bad, 2);
  const registry = openRegistry(join(folder, 'models'), nodeFiles);
  const log = createMemoryLog();
  const models = {open: async (hash: string) => createTreesScorer(registry.folderOf(hash))};
  const parts = {
    ...{family: FAMILY, registry, models, log, codec, clock: systemClock, files: nodeFiles},
    ...{folder: join(folder, 'training'), configured, tell: () => {}},
  };
  t.is(keepModels({...DEFAULT_CONFIG.keeper, mode: 'off'}, parts), undefined);
  const phases: string[] = [];
  const stop = listen('keeper.stepped', ({phase, what}) => {
    if (what === 'phase') phases.push(phase);
  });
  const keeper = keepModels({...DEFAULT_CONFIG.keeper, mode: 'auto'}, parts);
  if (keeper === undefined) return t.fail('nobody keeps');
  const world = createWorld(31, 120);
  const {signature} = await createTreesScorer(configured);
  const go = async (steps: number, model: typeof good, hash: string) => {
    for (let step = 0; step < steps; step++) {
      const {rows, outcomes} = world.step(model, hash);
      for (const outcome of outcomes) keeper.outcome(outcome);
      keeper.observe(rows);
      await keeper.idle();
    }
  };
  const aliases = () => registry.aliases(FAMILY).aliases;
  await keeper.idle();
  t.is(aliases().champion, signature().hash);
  await go(2, good, signature().hash);
  const author = {who: 'anna', why: 'a drill', atMs: Date.now()};
  const {hash} = await registry.add(forced, {author, codeVersion: '0'});
  await registry.promote(hash, author, {force: true});
  for (let hour = 0; hour < 6 && aliases().champion === hash; hour++) await go(12, bad, hash);
  t.like(aliases(), {champion: signature().hash, previous: hash, changedBy: 'keeper'});
  for (const partition of PARTITIONS) {
    const [{value} = {value: new Uint8Array()}, ...more] = await log.read(
      'inbox',
      partition,
      0,
      10,
    );
    t.is(more.length, 0);
    const command = codec.decodeInbox(value);
    t.like(command, {
      kind: 'switch-model',
      modelHash: signature().hash,
      percent: 100,
      author: 'keeper',
    });
  }
  t.deepEqual(phases, ['watching', 'probation', 'watching']);
  stop();
  await keeper.close();
});
