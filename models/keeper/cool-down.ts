/** When the next training may begin. */
import type {KeeperSettings, KeeperState} from './keeper-state.ts';

/** Twice as long after each refusal in a row, up to a bound. */
export function coolDownFrom(
  refusals: number,
  atMs: number,
  {coolDownMs, coolDownMsMax}: KeeperSettings,
): number {
  return atMs + Math.min(coolDownMs * 2 ** refusals, coolDownMsMax);
}

/** A clock that jumped back does not make a cool-down longer than it is. */
export function isCooling(
  {coolDownUntilMs}: Pick<KeeperState, 'coolDownUntilMs'>,
  atMs: number,
  {coolDownMsMax}: KeeperSettings,
): boolean {
  return atMs < coolDownUntilMs && coolDownUntilMs - atMs <= coolDownMsMax;
}
