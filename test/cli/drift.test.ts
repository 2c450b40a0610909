import test from 'ava';
import type {KeeperSight} from '../../core/domain/drift/report.ts';
import {startApi} from '../api/server.ts';
import {forestay} from './run.ts';

test('drift tells what the keeper is at; a core without one says so', async t => {
  const drift = {
    ...{atMs: 1, knowsInputs: true, lossesRose: false, inputsMoved: false, losses: []},
    verdict: {action: 'none', untilMs: undefined, reasons: []},
    ...{classes: [], outcomes: 320, classesDropped: 0, rowsForeign: 0},
  } as const;
  let keeper: KeeperSight | undefined = {
    ...{mode: 'auto', phase: 'shadowing', sinceMs: 1, because: '', coolDownUntilMs: null, drift},
  };
  const {api} = await startApi(t, {keeper: () => keeper as KeeperSight});
  const ask = (...args: string[]) => forestay(['drift', ...args, '--server', api.grpcAddress]);
  const {code, stdout} = await ask();
  t.is(code, 0);
  t.regex(stdout, /^the keeper is in mode auto, shadowing since 1970-01-01T00:00:00.001Z\n\n/);
  t.regex(stdout, /verdict: as ever; the loss has not risen, over 320 outcomes/);
  t.is((JSON.parse((await ask('--json')).stdout) as {report: typeof drift}).report.outcomes, 320);
  keeper = {...keeper, phase: 'watching', because: 'It was worse.', coolDownUntilMs: 60_000};
  const [first, second] = (await ask()).stdout.split('\n');
  t.regex(first ?? '', /watching since .*; no training begins before 1970-01-01T00:01:00.000Z$/);
  t.is(second, 'It was worse.');
  keeper = {...keeper, drift: undefined};
  t.regex((await ask()).stdout, /no host has been heard for long enough yet/);
  keeper = undefined;
  t.regex((await ask()).stdout, /nobody tends the models of this core/);
});
