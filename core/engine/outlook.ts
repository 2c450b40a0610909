/**
 * Risks within a day and a week, for people who plan repairs: a second model, asked once a minute a
 * host, outside the tick. Never an input; when the pool or the log is slow, hosts wait for their
 * next turn.
 */
import {isForestayError} from '../domain/errors.ts';
import {publish} from '../events.ts';
import type {Clock, Codec, Log, Scorer} from '../ports.ts';
import type {PartitionState} from './partition-state.ts';
import type {PublisherOptions} from './score-publisher.ts';
import {hasFeatures, readFeatures, type SetTable} from './set-table.ts';

const EVERY_MS = 60_000;
const ROWS_MAX = 256;
/** Hosts are looked through this often: at every tick it would be for nothing. */
const LOOK_EVERY_MS = 1000;

export type OutlookOptions = Pick<PublisherOptions, 'partition' | 'onScores'> & {
  log: Log;
  clock: Clock;
  codec: Codec;
  /** Reads averages, as the windows keep them. */
  outlook: Scorer;
};

type Due = {host: string; table: SetTable; row: number};

export class Outlook {
  readonly #options: OutlookOptions;
  readonly #state: PartitionState;
  /** Time of the sample that each host was last asked for. */
  readonly #askedMs = new Map<string, number>();
  #flight: Promise<void> | undefined;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(options: OutlookOptions, state: PartitionState) {
    this.#options = options;
    this.#state = state;
  }

  /** After a tick: asks for the hosts that are due, unless the last request is still under way. */
  ticked(): void {
    const {timeMs} = this.#state;
    if (this.#flight !== undefined || timeMs - this.#lookedMs < LOOK_EVERY_MS) return;
    this.#lookedMs = timeMs;
    const due = this.#due();
    if (due.length === 0) return;
    this.#flight = this.#ask(due).finally(() => {
      this.#flight = undefined;
    });
  }

  async settled(): Promise<void> {
    await this.#flight;
  }

  #due(): Due[] {
    const due: Due[] = [];
    for (const table of this.#state.tables.values()) {
      // Without averages there is nothing that this model reads.
      if (!table.scored || table.counted !== undefined) continue;
      for (let row = 0; row < table.names.length && due.length < ROWS_MAX; row++) {
        const host = (table.names[row] as string).slice('hosts/'.length);
        const atMs = table.windows.lastMs[row] as number;
        const askedMs = this.#askedMs.get(host) ?? Number.NEGATIVE_INFINITY;
        if (atMs - askedMs < EVERY_MS || !hasFeatures(table, row)) continue;
        if (this.#state.hosts.get(host)?.row !== row) continue;
        this.#askedMs.set(host, atMs);
        due.push({host, table, row});
      }
    }
    return due;
  }

  async #ask(due: readonly Due[]): Promise<void> {
    const {outlook, log, codec, partition, onScores} = this.#options;
    const model = outlook.signature();
    const {hash, featureHash, featureCount, components} = model;
    const {timeMs, epoch, tickNumber} = this.#state;
    const features = new Float32Array(due.length * featureCount);
    for (const [index, {table, row}] of due.entries()) {
      readFeatures(table, row, model, features, index * featureCount);
    }
    try {
      const risks = await outlook.score(hash, due.length, features);
      const scores = {
        kind: 'outlook' as const,
        timeMs,
        epoch,
        tickNumber,
        modelHash: hash,
        featureHash,
        hosts: due.map(({host}) => host),
        risks,
        components,
        reasons: [],
      };
      onScores?.(partition, scores);
      await log.append('scores', partition, [codec.encodeScores(scores)]);
    } catch (error) {
      if (!isForestayError(error)) throw error;
      publish('scores.failed', {model: hash, code: error.code});
    }
  }
}
