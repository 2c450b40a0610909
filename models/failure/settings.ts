import type {Settings, Space} from '../training/space.ts';

type SettingName =
  | 'rounds'
  | 'leavesMax'
  | 'depthMax'
  | 'learningRate'
  | 'l2'
  | 'minChildHessian'
  | 'rowShare'
  | 'columnShare'
  | 'monotone';
/** `monotone`: 1 if a risk may not fall when a part's own errors rise, 0 if it may. */
export type FailureSettings = Settings<SettingName>;

/**
 * What a search found on fleets in time lapse, rounded. Small, cautious trees on small samples: rows
 * of one host are much alike. Twice the leaves lose as little, on little data more.
 */
export const FAILURE_SETTINGS: FailureSettings = {
  rounds: 200,
  leavesMax: 8,
  depthMax: 6,
  learningRate: 0.05,
  l2: 1,
  minChildHessian: 4,
  rowShare: 0.5,
  columnShare: 0.2,
  monotone: 1,
};

/** What a search may try. */
export const FAILURE_SPACE = {
  leavesMax: {from: 6, to: 48, scale: 'whole'},
  learningRate: {from: 0.02, to: 0.15, scale: 'log'},
  l2: {from: 0.3, to: 30, scale: 'log'},
  minChildHessian: {from: 2, to: 60, scale: 'log'},
  rowShare: {from: 0.2, to: 0.8, scale: 'linear'},
  columnShare: {from: 0.15, to: 0.8, scale: 'linear'},
} satisfies Space<SettingName>;
