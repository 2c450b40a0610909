/**
 * Hosts with reboots and crashes that announce themselves minutes to hours before, for what is
 * measured of networks: a reboot follows an update soon, or one and a half hours to two and a half
 * after it; a crash follows a memory leak, or the third burst of errors within hours; some follow
 * nothing. Updates without reboot and bursts without crash are as frequent.
 */
import type {Cause} from '../../core/domain/reboot-risks.ts';
import {RISK_CLASSES, riskClass} from '../../models/network/competing-risks.ts';
import type {Sequences} from '../../models/network/sequences.ts';
import {createUniform} from '../../models/random.ts';

export const SEQUENCE_COLUMNS = 16;
/** A sample is a minute. */
const MINUTES = 720;
const MISSING_SHARE = 0.01;
/** The tools that tell of errors and temperature are the ones that fail. */
const FLAKY = [2, 3] as const;

type Story = {
  /** When the host goes down; undefined: not in these hours. */
  down: {minute: number; cause: Cause} | undefined;
  update: number | undefined;
  sessions: number | undefined;
  leakFrom: number | undefined;
  bursts: readonly number[];
};

const QUIET: Story = {
  down: undefined,
  update: undefined,
  sessions: undefined,
  leakFrom: undefined,
  bursts: [],
};

/** So many hosts, each from a boot to its next reboot or crash or for half a day. */
export function drawSequences(hosts: number, seed: number): Sequences {
  const features: number[] = [];
  const classes: number[] = [];
  const starts = [0];
  for (let host = 0; host < hosts; host++) {
    const uniform = createUniform(Math.imul(seed, 7919) + 104_729 * host);
    const story = drawStory(uniform);
    const length = story.down?.minute ?? MINUTES;
    // What comes within 30 minutes after the last sample of a quiet host is not known.
    const known = story.down === undefined ? length - 30 : length;
    drawSamples(uniform, story, length, features);
    for (let minute = 0; minute < length; minute++) {
      const {down} = story;
      const left = down && {minutes: down.minute - minute, cause: down.cause};
      classes.push(minute < known ? riskClass(left) : -1);
    }
    starts.push(classes.length);
  }
  const targets = new Float32Array(classes.length * RISK_CLASSES);
  for (const [row, index] of classes.entries()) {
    if (index >= 0) targets[row * RISK_CLASSES + index] = 1;
  }
  return {
    columns: SEQUENCE_COLUMNS,
    features: Float32Array.from(features),
    starts: Uint32Array.from(starts),
    targetColumns: RISK_CLASSES,
    targets,
    weights: Float32Array.from(classes, index => (index < 0 ? 0 : 1)),
  };
}

function drawStory(uniform: () => number): Story {
  const between = (low: number, high: number) => Math.floor(low + (high - low) * uniform());
  const kind = uniform();
  const begin = between(30, 400);
  if (kind < 0.25) {
    const minute = begin + (uniform() < 0.5 ? between(20, 40) : between(90, 150));
    const sessions = uniform() < 0.6 ? minute - between(4, 12) : undefined;
    return {...QUIET, update: begin, sessions, down: {minute, cause: 'intentional'}};
  }
  if (kind < 0.4) return {...QUIET, update: begin, sessions: between(30, 700)};
  if (kind < 0.5) {
    const minute = begin + between(60, 300);
    return {...QUIET, leakFrom: begin, down: {minute, cause: 'crash'}};
  }
  if (kind < 0.7) {
    const second = begin + between(30, 60);
    const third = second + between(30, 60);
    const minute = third + between(4, 20);
    return {...QUIET, bursts: [begin, second, third], down: {minute, cause: 'crash'}};
  }
  if (kind < 0.85) {
    const bursts = [begin, begin + between(30, 60)].slice(0, between(1, 3));
    return {...QUIET, bursts, sessions: between(30, 700)};
  }
  return kind < 0.9 ? {...QUIET, down: {minute: between(60, 700), cause: 'crash'}} : QUIET;
}

function drawSamples(
  uniform: () => number,
  {down, update, sessions, leakFrom, bursts}: Story,
  length: number,
  features: number[],
): void {
  const noise = () => uniform() + uniform() + uniform() - 1.5;
  const startHour = 24 * uniform();
  const wander = [0, 0, 0, 0];
  const isIn = (from: number | undefined, minute: number, minutes: number) =>
    from !== undefined && minute >= from && minute < from + minutes;
  for (let minute = 0; minute < length; minute++) {
    for (let at = 0; at < wander.length; at++) {
      wander[at] = 0.95 * (wander[at] as number) + 0.3 * noise();
    }
    const [load = 0, memory = 0, ...others] = wander;
    const angle = ((startHour + minute / 60) / 24) * 2 * Math.PI;
    const isBursting = bursts.some(from => isIn(from, minute, 8));
    const isAtWork = isIn(sessions, minute, 12);
    const leak =
      leakFrom === undefined || minute < leakFrom
        ? 0
        : (minute - leakFrom) / ((down?.minute ?? MINUTES) - leakFrom);
    const row = [
      40 + 15 * Math.sin(angle) + 8 * load,
      50 + 3 * memory + 40 * leak,
      isBursting ? 4 + 3 * uniform() : Number(uniform() < 0.01),
      60 + 2 * load + 4 * noise() + (isBursting ? 3 : 0),
      Number(update !== undefined && minute >= update + 10),
      Number(isIn(update, minute, 15)),
      Number(isAtWork) + Number(uniform() < 0.05),
      isAtWork ? Math.floor(4 * uniform()) : Number(uniform() < 0.01),
      Math.sin(angle),
      Math.cos(angle),
      Math.log1p(minute),
      5 + 2 * leak + noise(),
      Number(uniform() < (isBursting ? 0.1 : 0.005)),
      Number(down?.cause === 'intentional' && sessions !== undefined && down.minute - minute <= 2),
      ...others,
    ];
    if (uniform() < MISSING_SHARE) for (const column of FLAKY) row[column] = Number.NaN;
    features.push(...row);
  }
}
