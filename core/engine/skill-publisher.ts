/**
 * Whether prediction has helped, for people and stores: the scores topic, after each step in which
 * hosts were forecast, and when a cell is restrained or not any more. Never an input.
 */
import {isForestayError} from '../domain/errors.ts';
import type {Tick} from '../domain/records.ts';
import {type CellSkill, cellSkill} from '../domain/skill/cell-skill.ts';
import {publish} from '../events.ts';
import {restraintOf} from './cell-restraint.ts';
import type {PartitionState} from './partition-state.ts';
import type {PublisherOptions} from './score-publisher.ts';

export class SkillPublisher {
  readonly #options: Pick<PublisherOptions, 'log' | 'codec' | 'partition' | 'onScores'>;
  readonly #state: PartitionState;
  #toldAtMs = 0;
  #flight: Promise<void> | undefined;

  constructor(
    options: Pick<PublisherOptions, 'log' | 'codec' | 'partition' | 'onScores'>,
    state: PartitionState,
  ) {
    this.#options = options;
    this.#state = state;
  }

  /** After a tick; while the log is slow, figures wait for the next step. */
  ticked({restraints = []}: Pick<Tick, 'restraints'>): void {
    const {forecastAtMs} = this.#state;
    if (this.#flight !== undefined) return;
    if (forecastAtMs === this.#toldAtMs && restraints.length === 0) return;
    this.#toldAtMs = forecastAtMs;
    const skills = cellSkills(this.#state);
    if (skills.length === 0) return;
    this.#flight = this.#publish(skills).finally(() => {
      this.#flight = undefined;
    });
  }

  async settled(): Promise<void> {
    await this.#flight;
  }

  async #publish(skills: readonly CellSkill[]): Promise<void> {
    const {log, codec, partition, onScores} = this.#options;
    const {timeMs, epoch, tickNumber, model} = this.#state;
    const scores = {
      kind: 'risk' as const,
      timeMs,
      epoch,
      tickNumber,
      modelHash: model.hash,
      featureHash: model.featureHash,
      hosts: [],
      risks: new Float32Array(0),
      components: [],
      reasons: [],
      skills,
    };
    try {
      onScores?.(partition, scores);
      await log.append('scores', partition, [codec.encodeScores(scores)]);
    } catch (error) {
      if (!isForestayError(error)) throw error;
      publish('scores.failed', {model: model.hash, code: error.code});
    }
  }
}

/** Of all cells, by name, each of its models; O(blocks + alerts + acts). */
export function cellSkills(state: PartitionState): CellSkill[] {
  return [...state.skills]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([cell, skill]) =>
      skill.models.map(({hash}) => cellSkill(cell, skill, restraintOf(state, cell, hash))),
    );
}
