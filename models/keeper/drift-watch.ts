/**
 * Whether the world is still as the champion learned it: its inputs, by class of hardware, against
 * the snapshot of its training rows, and its losses, of the fleet and of each class.
 *
 * D1. State is bounded: {@link CLASSES_MAX} classes of about 40 KiB each, and the names of hosts
 *     within the window. Of more classes the one with the fewest rows goes, and is counted.
 * D2. Rows of a host's first 20 minutes, since it booted or was first heard, are not counted.
 * D3. A class is compared with its own rows if the snapshot has them apart, else with all. Without a snapshot nothing is said of inputs; losses are watched all the same.
 * D4. A class that arrives begins with what is known of the fleet's losses, so that one on which the
 *     model is worse from its first host on is found.
 * D5. Time is that of the rows. If it goes back by more than the window, the window begins anew.
 *
 * It depends on rows, losses and their order alone. Another champion needs another watch. Of 1,000
 * hosts of 4 classes and 168 features a step costs 2 ms of CPU, 0.3 ms for losses, 1 ms for a report.
 */
import type {ClassDrift, DriftReport} from '../../core/domain/drift/report.ts';
import type {DriftSnapshot, RowsSnapshot} from '../../core/domain/drift/snapshot.ts';
import {type DriftVerdict, driftVerdict} from '../../core/domain/drift/verdict.ts';
import type {ObservedRows} from '../../core/domain/observed.ts';
import {HardwareWindow} from './hardware-window.ts';
import {HostSpells} from './host-spells.ts';
import type {RowLoss} from './live-skill.ts';
import {createLossWatch, type LossWatch, lossesRisen, observeLoss} from './loss-watch.ts';
import {SettledHosts} from './settled-hosts.ts';

export type DriftWatchOptions = {
  /** Of the champion; null: nobody kept one. */
  readonly snapshot: DriftSnapshot | null;
  /** Of the champion's contract: rows of another one are not counted. */
  readonly featureHash: number;
  /** After a training the next one waits so long. */
  readonly coolDownMs: number;
  /** The window has {@link PANES} panes of this length; 15 minutes unless given. */
  readonly paneMs?: number;
  /** Rows of a host within this time count as one outcome; 15 minutes unless given. */
  readonly spellMs?: number;
};

export type DriftWatch = {
  /** Counts rows; of 168 features about 2 µs a row. */
  observe(rows: ObservedRows): void;
  /** Takes what the champion lost on rows, by time, each once; about 0.3 µs a row. */
  settle(losses: readonly RowLoss[]): void;
  /**
   * What has drifted; about 0.3 ms a class.
   *
   * @param retrainedAtMs When a training last began; −∞: never.
   */
  report(nowMs: number, retrainedAtMs?: number): DriftReport;
};

const CLASSES_MAX = 32;
const PANES = 4;
const MINUTE_MS = 60_000;
const PANE_MS = 15 * MINUTE_MS;
const SPELL_MS = 15 * MINUTE_MS;
const REASONS_MAX = 8;
const ACTIONS: readonly DriftVerdict['action'][] = ['none', 'warn', 'wait', 'retrain'];
const NOTHING_KEPT: RowsSnapshot = {rows: 0, hosts: 0, fleets: 0, features: []};

type HardwareClass = {readonly window: HardwareWindow; readonly losses: LossWatch};

export function createDriftWatch(options: DriftWatchOptions): DriftWatch {
  const {snapshot, featureHash, paneMs = PANE_MS} = options;
  const classes = new Map<string, HardwareClass>();
  const fleet = createLossWatch();
  const spells = new HostSpells(options.spellMs ?? SPELL_MS);
  const settled = new SettledHosts();
  let pane = Number.NEGATIVE_INFINITY;
  let classesDropped = 0;
  let rowsForeign = 0;

  const turnTo = (next: number) => {
    if (next < pane - PANES) {
      classes.clear();
      settled.clear();
    } else if (next <= pane) return;
    pane = next;
    settled.forget((pane - PANES) * paneMs);
    for (const [hardware, {window}] of classes) {
      window.turnTo(pane);
      if (window.rows === 0) classes.delete(hardware);
    }
  };
  const classOf = (hardware: string): HardwareClass => {
    const found = classes.get(hardware);
    if (found !== undefined) return found;
    if (classes.size === CLASSES_MAX) {
      classes.delete(rarestOf(classes));
      classesDropped++;
    }
    const own = snapshot?.classes?.find(each => each.hardware === hardware);
    const window = new HardwareWindow(own ?? snapshot ?? NOTHING_KEPT, PANES, pane);
    const made = {window, losses: structuredClone(fleet)};
    classes.set(hardware, made);
    return made;
  };
  return {
    observe({atMs, hosts, features, featureCount, featureHash: theirs}) {
      turnTo(Math.floor(atMs / paneMs));
      if (theirs !== featureHash) {
        rowsForeign += hosts.length;
        return;
      }
      for (const [row, host] of hosts.entries()) {
        if (!settled.hear(host, atMs)) continue;
        classOf(host.hardware).window.count(host.name, features, row * featureCount);
      }
    },
    settle(losses) {
      for (const {hardware, loss} of spells.take(losses)) {
        observeLoss(fleet, loss);
        const own = classes.get(hardware);
        if (own !== undefined) observeLoss(own.losses, loss);
      }
    },
    report(nowMs, retrainedAtMs = Number.NEGATIVE_INFINITY) {
      const common = {nowMs, retrainedAtMs, coolDownMs: options.coolDownMs};
      const hasMany = classes.size > 1;
      const told = [...classes].map(([hardware, {window, losses: own}]): ClassDrift => {
        const inputs = window.drift();
        const losses = hasMany ? lossesRisen(own) : [];
        const verdict = driftVerdict({...common, inputs, losses});
        return {hardware, hosts: window.hosts, rows: window.rows, inputs, losses, verdict};
      });
      const losses = lossesRisen(fleet);
      const ofFleet = driftVerdict({...common, inputs: [], losses});
      return {
        atMs: nowMs,
        knowsInputs: snapshot !== null,
        lossesRose: [{losses}, ...told].some(each => each.losses.length > 0),
        inputsMoved: told.some(({inputs}) => inputs.length > 0),
        classes: told.sort(worstFirst),
        losses,
        verdict: gravestOf(ofFleet, told),
        outcomes: fleet.taken,
        classesDropped,
        rowsForeign,
      };
    },
  };
}

/** The first of those with the fewest rows. */
function rarestOf(classes: ReadonlyMap<string, HardwareClass>): string {
  let rarest = '';
  let fewest = Number.POSITIVE_INFINITY;
  for (const [hardware, {window}] of classes) {
    if (window.rows >= fewest) continue;
    fewest = window.rows;
    rarest = hardware;
  }
  return rarest;
}

function worstFirst(a: ClassDrift, b: ClassDrift): number {
  const gravity = ({verdict}: ClassDrift) => ACTIONS.indexOf(verdict.action);
  const furthest = ({inputs}: ClassDrift) => inputs[0]?.index ?? 0;
  return gravity(b) - gravity(a) || furthest(b) - furthest(a) || (a.hardware < b.hardware ? -1 : 1);
}

/** Their reasons together, those of the fleet first. */
function gravestOf(fleet: DriftVerdict, classes: readonly ClassDrift[]): DriftVerdict {
  const verdicts = [fleet, ...classes.map(({verdict}) => verdict)];
  const gravest = Math.max(...verdicts.map(({action}) => ACTIONS.indexOf(action)));
  const reasons = classes.flatMap(({hardware, verdict}) =>
    verdict.reasons.map(reason => (classes.length > 1 ? `${nameOf(hardware)}: ${reason}` : reason)),
  );
  return {
    action: ACTIONS[gravest] as DriftVerdict['action'],
    untilMs: verdicts.find(({untilMs}) => untilMs !== undefined)?.untilMs,
    reasons: [...fleet.reasons, ...reasons].slice(0, REASONS_MAX),
  };
}

function nameOf(hardware: string): string {
  return hardware === '' ? 'hosts of untold hardware' : hardware;
}
