import test from 'ava';
import {HOST_METRIC_CATALOGUE, INTENT_INPUTS} from '../../core/domain/host-metrics.ts';
import {
  intentMisfit,
  parseIntentGolden,
  parseIntentManifest,
} from '../../core/domain/intent-fit.ts';
import {type IntentManifest, intentInputHash} from '../../core/domain/intent-manifest.ts';
import {INTENT_STEP_MS} from '../../core/domain/intent-step.ts';
import {RISK_OUTPUTS} from '../../core/domain/reboot-risks.ts';

const inputs = INTENT_INPUTS.map(({name}) => name);
const sound = {
  sha256: 'a',
  explainSha256: 'b',
  inputs,
  inputHash: intentInputHash(inputs, INTENT_STEP_MS),
  outputs: RISK_OUTPUTS,
  hidden: 32,
  explainSteps: 60,
  usual: inputs.map(() => null),
} as unknown as IntentManifest;

const refuse = (reason: string) => new Error(reason);
const accepts = (
  parse: typeof parseIntentManifest | typeof parseIntentGolden,
  content: unknown,
) => {
  try {
    return parse(JSON.stringify(content), refuse) !== undefined;
  } catch (error) {
    return !/^\w+\.json lacks what an agent relies on$/.test((error as Error).message);
  }
};

test('what is beside a model comes back as it was, or what is wrong is named', t => {
  t.deepEqual(parseIntentManifest(JSON.stringify(sound), refuse), sound);
  t.throws(() => parseIntentManifest('{', refuse), {message: 'manifest.json is not JSON'});
  for (const text of ['null', '7', '[]']) {
    t.throws(() => parseIntentGolden(text, refuse), {message: /^golden\.json lacks/});
  }
});

test('a manifest must say all that an agent relies on, in sizes that are none of a slip', t => {
  t.true(accepts(parseIntentManifest, sound));
  for (const wrong of [
    {sha256: undefined},
    {explainSha256: 7},
    {inputHash: '1'},
    {hidden: 0},
    {hidden: 1e15},
    {explainSteps: 1.5},
    {inputs: 'many'},
    {outputs: [1]},
    {usual: [1]},
    {usual: inputs.map(() => 'x')},
  ]) {
    t.false(
      accepts(parseIntentManifest, {...sound, ...(wrong as object)}),
      JSON.stringify(wrong).slice(0, 60),
    );
  }
});

test('golden rows are as wide as inputs and outputs, and there is at least one', t => {
  const row = inputs.map(() => 0.5);
  const risks = RISK_OUTPUTS.map(() => 0.1);
  t.true(accepts(parseIntentGolden, {rows: [row], risks: [risks]}));
  for (const wrong of [
    {rows: [], risks: []},
    {rows: [row], risks: []},
    {rows: [row.slice(1)], risks: [risks]},
    {rows: [row], risks: [risks.slice(1)]},
    {rows: [row.map(() => 'x')], risks: [risks]},
    {},
  ]) {
    t.false(accepts(parseIntentGolden, wrong));
  }
});

test('a model of other rows or other risks is told with the first that differs', t => {
  t.is(intentMisfit(sound), '');
  const [first, second, ...rest] = inputs;
  const swapped = [second, first, ...rest] as string[];
  const other = {...sound, inputs: swapped, inputHash: intentInputHash(swapped, INTENT_STEP_MS)};
  t.regex(intentMisfit(other), new RegExp(`first that differs: ${second}`));
  const slower = {...sound, inputHash: intentInputHash(inputs, 2 * INTENT_STEP_MS)};
  t.regex(intentMisfit(slower), /the time between two rows/);
  t.regex(intentMisfit({...sound, outputs: ['reboot']}), /it tells reboot; known are normal-1m/);
});

test('what an agent concludes is no input of what it concludes it from', t => {
  const concluded = HOST_METRIC_CATALOGUE.filter(({name}) => /_probability$/.test(name));
  t.is(concluded.length, 8);
  t.true(concluded.every(({name}) => !inputs.includes(name)));
});
