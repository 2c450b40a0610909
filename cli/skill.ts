import type {Command} from 'commander';
import {shortHash} from '../core/domain/hash.ts';
import type {CellSkill, OutputSkill} from '../proto/gen/forestay/v1/skill_pb.ts';
import {addClientOptions, type ClientOptions, withCore} from './client.ts';
import {addChangeOptions, type ChangeOptions, openControl, requestOf} from './control.ts';
import {addOutputOption, type Format, printValue, toRecord} from './output.ts';
import {formatTable} from './table.ts';
import {harmlessName} from './terminal.ts';

const ACTS_SHOWN = 10;

type SkillOptions = ClientOptions & {cell: string; output: Format};

/** Whether prediction helps, and letting models act that do not seem to. */
export function registerSkill(program: Command): void {
  const skill = program
    .command('skill')
    .description('whether prediction helps: skill over the naive method, and what acts came to')
    .option('--cell <cell>', 'of this cell alone', '')
    .action((options: SkillOptions) => showSkills(options));
  addClientOptions(addOutputOption(skill, ['table', 'json', 'ndjson', 'yaml']));
  const command = program
    .command('lift-restraint')
    .description('let models of a cell act ahead of failures, although they do not seem to help')
    .argument('<cell>', 'the cell')
    .option('--comment <text>', 'why', '')
    .action((cell: string, options: ChangeOptions & {comment: string}) => lift(cell, options));
  addChangeOptions(command);
}

function lift(cell: string, options: ChangeOptions & {comment: string}): Promise<void> {
  return withCore(options, async core => {
    const control = await openControl(core);
    const asked = {...requestOf(options), cell};
    const {requestId, modelHashes} = await core.call(control, control.liftRestraint, asked);
    const done =
      modelHashes.length === 0
        ? `no model is restrained in ${harmlessName(cell)}: there was nothing to lift`
        : `${modelHashes.map(shortHash).join(', ')} may act in ${harmlessName(cell)}`;
    await printValue(
      options.output,
      {requestId, modelHashes},
      () => `${done}  (request ${requestId})`,
    );
  });
}

function showSkills({cell, output, ...options}: SkillOptions): Promise<void> {
  return withCore(options, async core => {
    const {CellSkillSchema, SkillService} = await import('../proto/gen/forestay/v1/skill_pb.ts');
    const service = core.client(SkillService);
    const {skills} = await core.call(service, service.listCellSkills, {cell});
    const records = skills.map(each => toRecord(CellSkillSchema, each));
    await printValue(output, {skills: records}, () => describe(skills));
  });
}

/** Tables of forecasts, alerts and acts, then verdicts and the newest acts in words. */
export function describe(skills: readonly CellSkill[]): string {
  if (skills.length === 0) return 'nothing has been forecast yet';
  const rows = skills.flatMap(skill => skill.outputs.map(output => ({skill, output})));
  const forecasts = formatTable(
    [
      {title: 'CELL', cell: ({skill}) => skill.cell},
      {title: 'MODEL', cell: ({skill}) => shortHash(skill.modelHash)},
      {title: 'OUTPUT', cell: ({output}) => output.output},
      {title: 'FORECASTS', cell: ({output}) => String(output.forecasts)},
      {title: 'BASE RATE', cell: ({output}) => percent(output.baseRate, 2)},
      {title: 'SKILL', cell: ({output}) => percent(skillOf(output))},
      {title: 'BETWEEN', cell: ({output}) => interval(output)},
      {title: 'FAILURES', cell: ({output}) => String(output.episodes)},
      {title: 'CALIBRATION ERROR', cell: ({output}) => percent(output.calibrationError, 1)},
    ],
    rows,
  );
  const acts = formatTable(
    [
      {title: 'CELL', cell: skill => skill.cell},
      {title: 'MODEL', cell: skill => shortHash(skill.modelHash)},
      {title: 'ALERTS', cell: ({alerts}) => String(alerts?.alerts ?? 0)},
      {title: 'PRECISION', cell: ({alerts}) => percent(alerts?.precision)},
      {title: 'RECALL', cell: ({alerts}) => percent(alerts?.recall)},
      {title: 'LEAD P50', cell: ({alerts}) => lead(alerts?.leadSecondsP50)},
      {title: 'ACTS', cell: ({acts: found}) => String(found?.acts ?? 0)},
      {title: 'AVOIDED', cell: ({acts: found}) => String(found?.avoided ?? 0)},
      {title: 'NEEDLESS', cell: ({acts: found}) => String(found?.needless ?? 0)},
      {title: 'TOO LATE', cell: ({acts: found}) => String(found?.tooLate ?? 0)},
      {title: 'UNKNOWN', cell: ({acts: found}) => String(found?.unknown ?? 0)},
      {title: 'MINUTES', cell: ({acts: found}) => (found?.avoidedMinutes ?? 0).toFixed(1)},
    ],
    skills,
  );
  return [
    forecasts,
    '',
    acts,
    '',
    ...skills.flatMap(inWords),
    '',
    'SKILL is 1 − log loss ÷ that of how often hosts failed before. MINUTES are downtime avoided less',
    'what acts cost: that a VM which had left would have gone down with its host, for as long as a',
    'restart takes, is a counterfactual and no observation. FAILURES that came together count once.',
    ...(skills.some(({trial}) => trial !== undefined) ? TRIAL_WORDS : []),
  ].join('\n');
}

const TRIAL_WORDS = [
  'A trial compares VMs that were acted upon with those that were left where they were by lot: both',
  'were observed, and each counts as drawn, whether or not the act then succeeded.',
];

function inWords(skill: CellSkill): string[] {
  const name = `${harmlessName(skill.cell)} ${shortHash(skill.modelHash)}`;
  const held = skill.restrained
    ? [`  restrained, it only advises: ${harmlessName(skill.restraintBecause)}`]
    : [];
  const lifted = skill.lifted ? [`  ${harmlessName(skill.restraintBecause)}`] : [];
  const trial = skill.trial === undefined ? [] : [`  trial: ${skill.trial.because}`];
  const newest = (skill.acts?.newest ?? [])
    .slice(0, ACTS_SHOWN)
    .map(({words}) => `  ${harmlessName(words)}`);
  return [
    `${name}: ${verdicts[skill.verdict] ?? skill.verdict}: ${skill.because}`,
    ...held,
    ...lifted,
    ...trial,
    ...newest,
  ];
}

const verdicts: Readonly<Record<string, string>> = {
  helps: 'prediction helps',
  'no-skill': 'prediction does not help',
  unproven: 'not proven yet',
};

/** Against a rate of nothing any forecast is infinitely bad. */
function skillOf({episodes, skill}: OutputSkill): number | undefined {
  return episodes === 0 ? undefined : skill;
}

function interval({skillLow, skillHigh}: OutputSkill): string {
  if (skillLow === undefined) return '-';
  return `${percent(skillLow)} to ${percent(skillHigh)}`;
}

function percent(share: number | undefined, digits = 0): string {
  return share === undefined ? '-' : `${(100 * share).toFixed(digits)} %`;
}

function lead(seconds: number | undefined): string {
  if (seconds === undefined) return '-';
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
