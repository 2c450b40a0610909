import type {EffectKind} from '../../core/domain/effects.ts';
import type {VmContext} from '../../statecharts/events.ts';
import {freshVm} from '../../statecharts/vm-rules.ts';
import type {Table} from './table.ts';
import {movingCells} from './vm-cells-moving.ts';
import {servingCells} from './vm-cells-serving.ts';
import type {VmPath} from './vm-rows.ts';

const pending = {deadlineMs: 1_010_000} as const;
const atRisk = {host: 'h1', atRisk: true} as const;
const onGhost = {host: 'g1', homeHost: 'h1', ...pending} as const;
const copying = {...atRisk, ...pending, targetHost: 'h2'} as const;

/** The effect whose result each state's usual `effect.*` event is about. */
const results: Partial<Record<VmPath, EffectKind>> = {
  'at-risk.arming-ghost': 'arm-ghost',
  'migrating.pre-copy': 'start-migration',
  'migrating.cancelling': 'start-migration',
  'ghost-active.activating': 'activate-ghost',
  'ghost-active.syncing-back': 'sync-back',
  'ghost-active.failing-back': 'fail-back',
  'recovering.restarting': 'restart-vm',
};

export const vmTable: Table<VmPath, VmContext> = {
  kind: 'vm',
  fresh: freshVm('x'),
  usual: {
    normal: {host: 'h1'},
    'at-risk.observing': atRisk,
    'at-risk.arming-ghost': {...atRisk, ...pending, ghostHost: 'g1'},
    'at-risk.protected': {...atRisk, ghostHost: 'g1', ghostArmed: true},
    'migrating.pre-copy': copying,
    'migrating.cancelling': {...copying, unresolved: 'start-migration'},
    'migrating.verifying': {host: 'h2', ...pending},
    'ghost-active.activating': {
      host: 'h1',
      homeHost: 'h1',
      targetHost: 'g1',
      ghostHost: 'g1',
      ghostArmed: true,
      ...pending,
    },
    'ghost-active.redirecting': onGhost,
    'ghost-active.serving': onGhost,
    'ghost-active.syncing-back': {...onGhost, targetHost: 'h1'},
    'ghost-active.failing-back': {...onGhost, targetHost: 'h1'},
    'recovering.awaiting-restart': {host: 'h1', ...pending},
    'recovering.restarting': {host: 'h1', targetHost: 'h2', ...pending},
    'recovering.redirecting': {host: 'h2', ...pending},
    'recovering.probation': {host: 'h2', ...pending},
  },
  event(type, {host}, path) {
    const result = {kind: results[path], effectId: '0/1/1/0', code: '', figures: {}};
    const fields: Partial<Record<string, object>> = {
      'risk.raised': {risk: 0.5, host},
      'risk.cleared': {risk: 0.1},
      'migration.chosen': {host, targetHost: 'h2', deadlineMs: 1_500_000},
      'ghost.chosen': {host, targetHost: 'g1', deadlineMs: 1_500_000},
      'host.lost': {host},
      'restart.chosen': {targetHost: 'h2', deadlineMs: 1_500_000},
      'fail-back.chosen': {host: 'h1', deadlineMs: 1_500_000},
      'placement.observed': {host: 'h9'},
      'flag.changed': {flag: 'frozen', on: true},
      cancelled: {by: 'operator'},
      'effect.completed': result,
      'effect.failed': {...result, code: 'X'},
    };
    return {...fields[type]};
  },
  cells: {...movingCells, ...servingCells},
};
