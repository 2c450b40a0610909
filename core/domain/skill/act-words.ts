/** What came of acts and alerts, as a sentence; what did not happen is said as what it is. */
import type {JudgedAct} from './act-book.ts';
import type {JudgedAlert} from './alert-book.ts';

/**
 * "h07 failed 6 min after v12 had left: it would have been down for about 1.5 min (restart) had it
 * stayed."
 */
export function actInWords(
  act: JudgedAct,
  {horizonMs, restartMinutes}: {horizonMs: number; restartMinutes: number},
): string {
  const {source, vm, target, finishedAtMs, targetDownAtMs} = act;
  const harm = Number.isNaN(targetDownAtMs)
    ? ''
    : ` ${target} went down ${spanOf(targetDownAtMs - finishedAtMs)} after ${arrivalOf(act)}.`;
  switch (act.effect) {
    case 'avoided':
      return `${source} ${fateOf(act)} ${spanOf(act.sourceDownAtMs - finishedAtMs)} after ${departureOf(act)}: it would have been down for about ${minutes(restartMinutes)} (restart) had it stayed.${harm}`;
    case 'too-late':
      return act.done
        ? `${source} ${fateOf(act)} ${spanOf(finishedAtMs - act.sourceDownAtMs)} before ${departureOf(act)}: too late.${harm}`
        : `${source} ${fateOf(act)}, and ${vm} was still there: the act had failed.`;
    case 'needless':
      return `${source} did not fail within ${spanOf(horizonMs)}: needless.${harm}`;
    case 'unknown':
      return act.hiddenBy === 'taken-away'
        ? `${source} was taken away ${spanOf(act.sourceDownAtMs - act.startedAtMs)} after the act began: whether it would have failed cannot be known.${harm}`
        : `${source} was not watched from ${spanOf(act.sourceDownAtMs - act.startedAtMs)} after the act began: what came of it cannot be known.${harm}`;
    case 'open':
      return `Not known yet: ${source} is watched until ${spanOf(horizonMs)} after the act.${harm}`;
  }
}

/** "h07 went down 12 min after the alert (risk 0.41)." */
export function alertInWords(alert: JudgedAlert, horizonMs: number): string {
  const {host, risk, leadMs} = alert;
  const said = `risk ${risk.toFixed(2)}, by its past ${alert.naive.toPrecision(1)}`;
  switch (alert.outcome) {
    case 'happened':
      return `${host} went down ${spanOf(leadMs)} after the alert (${said}).`;
    case 'did-not':
      return `${host} did not go down within ${spanOf(horizonMs)} of the alert (${said}).`;
    case 'unverifiable':
      return `${host} was taken away or not watched within ${spanOf(horizonMs)} of the alert (${said}): it cannot be known.`;
    case 'open':
      return `Not known yet: ${host} is watched until ${spanOf(horizonMs)} after the alert (${said}).`;
  }
}

function departureOf({action, vm}: JudgedAct): string {
  return action === 'migrate' ? `${vm} had left` : `a ghost of ${vm} stood`;
}

function arrivalOf({action, vm}: JudgedAct): string {
  return action === 'migrate' ? `${vm} had come there` : `a ghost of ${vm} stood there`;
}

function fateOf({byReboot}: JudgedAct): string {
  return byReboot ? 'was rebooted on purpose' : 'failed';
}

/** At least a second; days from two of them on. */
function spanOf(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3600)} h`
    : `${Math.round(seconds / 86_400)} d`;
}

function minutes(count: number): string {
  return `${Number(count.toFixed(1))} min`;
}
