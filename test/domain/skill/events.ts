/** Anything that a fold of skill can be given, as data; sound or not. */

import type {Act, Outcome} from '../../../core/domain/skill/skill-events.ts';
import {
  advanceSkill,
  takeAct,
  takeAlert,
  takeAlertEnd,
  takeForecast,
  takeOutcome,
} from '../../../core/domain/skill/skill-fold.ts';
import type {SkillState} from '../../../core/domain/skill/skill-state.ts';
import fc from '../../support/fast-check.ts';

export const MINUTE_MS = 60_000;
export const START_MS = 1_700_000_100_000;
/** So many minutes after the start. */
export const at = (minutes: number) => START_MS + minutes * MINUTE_MS;

export type Told =
  | {kind: 'tick'; atMs: number}
  | {kind: 'forecast'; host: string; atMs: number; risks: number[]; modelHash: string}
  | {kind: 'alert'; host: string; atMs: number; risk: number}
  | {kind: 'clear'; host: string; atMs: number}
  | {kind: 'act'; act: Act}
  | {kind: 'outcome'; outcome: Outcome};

export function tell(state: SkillState, told: Told): void {
  if (told.kind === 'tick') advanceSkill(state, told.atMs);
  else if (told.kind === 'forecast') takeForecast(state, told);
  else if (told.kind === 'alert') {
    takeAlert(state, {...told, component: 'disk', modelHash: 'm'});
  } else if (told.kind === 'clear') takeAlertEnd(state, told.host, told.atMs);
  else if (told.kind === 'act') takeAct(state, told.act);
  else takeOutcome(state, told.outcome);
}

/** Ticks of every minute, with a forecast of each host every five. */
export function watch(
  state: SkillState,
  hosts: readonly string[],
  fromMinute: number,
  toMinute: number,
  risk = 0.01,
): void {
  for (let minute = fromMinute; minute <= toMinute; minute++) {
    advanceSkill(state, at(minute));
    if (minute % 5 !== 0) continue;
    for (const host of hosts) {
      const risks = [0, 0, risk, 0, 0, Number.NaN];
      takeForecast(state, {host, atMs: at(minute), modelHash: 'm', risks});
    }
  }
}

export const outcome = (
  host: string,
  minute: number,
  kind: Outcome['kind'],
  component: Outcome['component'] = '',
): Outcome => ({host, atMs: at(minute), kind, component});

export const move = (id: string, minute: number, changes: Partial<Act> = {}): Act => ({
  id,
  action: 'migrate',
  vm: 'v12',
  source: 'h07',
  target: 'h01',
  startedAtMs: at(minute) - MINUTE_MS,
  finishedAtMs: at(minute),
  done: true,
  blackoutMs: 300,
  criticality: 0.2,
  modelHash: 'm',
  ...changes,
});

const host = fc.constantFrom('h01', 'h02', 'h03', 'unknown');
const minute = fc.integer({min: -60, max: 600});
const outcomes = fc.record({
  host,
  atMs: fc.oneof(minute.map(at), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY)),
  kind: fc.constantFrom(
    'lost',
    'crashed',
    'rebooted',
    'taken-away',
    'unwatched',
    'returned',
  ) as fc.Arbitrary<Outcome['kind']>,
  component: fc.constantFrom('', 'disk', 'cpu') as fc.Arbitrary<Outcome['component']>,
});

/** A ledger with gaps, repeats, contradictions and times in any order. */
export const anyLedger: fc.Arbitrary<Told[]> = fc.array(
  fc.oneof(
    {weight: 6, arbitrary: minute.map((each): Told => ({kind: 'tick', atMs: at(each)}))},
    {
      weight: 6,
      arbitrary: fc
        .tuple(host, minute, fc.double({min: 0, max: 1, noNaN: false}), fc.boolean())
        .map(
          ([name, each, risk, reboot]): Told => ({
            kind: 'forecast',
            host: name === 'unknown' ? 'h01' : name,
            atMs: at(each),
            modelHash: each % 7 === 0 ? 'm2' : 'm',
            risks: [0, 0, risk, 0, 0, reboot ? 0.01 : Number.NaN],
          }),
        ),
    },
    {weight: 4, arbitrary: outcomes.map((each): Told => ({kind: 'outcome', outcome: each}))},
    {
      weight: 2,
      arbitrary: fc
        .tuple(host, minute, fc.double({min: 0.2, max: 1, noNaN: true}))
        .map(([name, each, risk]): Told => ({kind: 'alert', host: name, atMs: at(each), risk})),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(host, minute)
        .map(([name, each]): Told => ({kind: 'clear', host: name, atMs: at(each)})),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(host, host, minute, fc.boolean()).map(
        ([source, target, each, done]): Told => ({
          kind: 'act',
          act: move(`d${each}`, each, {source, target, done}),
        }),
      ),
    },
  ),
  {maxLength: 120},
);
