import {join} from 'node:path';
import type {Command} from 'commander';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {ForestayError} from '../core/domain/errors.ts';
import {shortHash} from '../core/domain/hash.ts';
import {TRAINING_SEED_MIN} from '../core/simulation/seeds.ts';
import {pairModels} from '../models/registry/pairing.ts';
import {decidePromotion, type Evaluation} from '../models/registry/promotion.ts';
import type {Registry} from '../models/registry/registry.ts';
import type {Scored} from '../models/registry/score-failure.ts';
import {EXIT} from './exit-codes.ts';
import type {Judge, JudgeFlags} from './models-judges.ts';
import {
  addAuthorOptions,
  authorOf,
  type ChangeOptions,
  openRegistryOf,
  progress,
} from './models-registry.ts';
import {evaluationText} from './models-tables.ts';
import {wholeNumber} from './numbers.ts';
import {printValue} from './output.ts';

type EvaluateFlags = ChangeOptions & JudgeFlags & {against?: string};

/** Neither the demo's, nor what training takes unless it is told to. */
const SEED = 7000;

export function registerEvaluate(models: Command): void {
  const count = wholeNumber(1);
  addAuthorOptions(
    models
      .command('evaluate')
      .description('judge a model on rows that it has not seen, and compare it with the champion')
      .argument('<model>', 'first digits of its hash, or FAMILY@challenger')
      .option('--against <model>', 'compare with this one (the champion of its family)')
      .option('--data <file>', 'rows of your own, CSV or CSV.gz, instead of simulated fleets')
      .option('--seed <n>', 'of the fleets, and of the draws', wholeNumber(TRAINING_SEED_MIN), SEED)
      .option('--fleets <n>', 'simulated fleets (100; for reboot-intent 60)', count)
      .option('--hosts <n>', 'hosts of each fleet', count, 24)
      .option('--minutes <n>', 'virtual minutes of each fleet (60)', count)
      .option('--days <n>', 'virtual days of each fleet, for the outlook', count, 28)
      .action(evaluate),
  );
}

async function evaluate(name: string, options: EvaluateFlags): Promise<void> {
  const registry = openRegistryOf(options);
  const {family, hash} = await registry.verify(registry.resolve(name));
  const rival = await rivalOf(registry, family, hash, options.against);
  // Simulators and judges are loaded only here: who lists models waits for none of them.
  const {openJudge} = await import('./models-judges.ts');
  const judge = await openJudge(family, options, progress);
  const scored = await judge.score(registry.folderOf(hash));
  const {value, text} = judge.figures(scored.risks);
  const evaluation =
    rival === undefined
      ? undefined
      : await compare(registry, judge, {rival, hash, scored, seed: options.seed});
  if (evaluation !== undefined) {
    registry.recordEvaluation(family, evaluation, authorOf(options));
    if (!evaluation.passed) process.exitCode = EXIT.no;
  }
  const {p99Ms} = scored;
  const record = {
    hash,
    family,
    data: judge.about,
    p99Ms,
    metrics: value,
    evaluation: evaluation ?? null,
  };
  await printValue(options.output, record as never, () =>
    [
      `${family} ${shortHash(hash)} on ${judge.about}\n`,
      text,
      ...(evaluation === undefined ? [] : ['', evaluationText(evaluation)]),
    ].join('\n'),
  );
}

/** Whom to compare with: nobody if the model is the champion itself, or there is none. */
async function rivalOf(
  registry: Registry,
  family: string,
  hash: string,
  against: string | undefined,
): Promise<string | undefined> {
  const {champion} = registry.aliases(family).aliases;
  const rival = against === undefined ? champion : registry.resolve(against);
  if (rival === null || rival === hash) return undefined;
  const entry = await registry.verify(rival);
  if (entry.family === family) return rival;
  throw new ForestayError(
    'INVALID_ARGUMENT',
    `cannot compare ${shortHash(hash)} of ${family} with ${shortHash(rival)} of ${entry.family}; name two of one family`,
    {details: {hash, rival}},
  );
}

type Pair = {rival: string; hash: string; scored: Scored; seed: number};

async function compare(
  registry: Registry,
  judge: Judge,
  {rival, hash, scored, seed}: Pair,
): Promise<Evaluation> {
  const other = await judge.score(registry.folderOf(rival));
  const costOf = (of: string, {p99Ms}: Scored) => ({
    bytes: nodeFiles.size(join(registry.folderOf(of), 'model.onnx')),
    p99Ms,
  });
  const comparison = {
    ...pairModels(judge.judged, judge.judgedRisks(other.risks), judge.judgedRisks(scored.risks)),
    champion: costOf(rival, other),
    challenger: costOf(hash, scored),
  };
  const decision = decidePromotion(comparison, seed);
  return {champion: rival, challenger: hash, data: judge.about, seed, ...decision};
}
