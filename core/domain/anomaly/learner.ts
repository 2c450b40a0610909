import {LEARNING_ROWS_MIN, learnUsual, type Usual} from './learn-usual.ts';
import {UsualPool} from './usual-rows.ts';

/** With fewer hosts it takes longer until there are rows enough; with many, this is the least. */
const SPAN_MS_MIN = 1_800_000;
const DAY_MS = 86_400_000;

/** An odd minute raises the threshold by this share, any other lowers it by so much less. */
const STEP = 0.01;
/** Minutes that count of one odd state of a host: an incident must not teach that it is usual. */
const COUNTED_MINUTES = 5;
const MARGIN_MAX = 1.5;

/**
 * Learns what is usual among hosts of a kind, again and again: first when there are rows enough,
 * on the first day each time that there are twice as many, then daily from that day's rows.
 *
 * The threshold that was measured then is too low whenever hosts do what they did not do before; so
 * it follows the minutes that pass it: in the long run the share that is wanted does.
 */
export class Learner {
  readonly #metrics: readonly string[];
  readonly #oddShare: number;
  readonly #pool: UsualPool;
  #learnedFrom = 0;
  #isFirstDay = true;
  #margin = 1;
  /** Undefined until it was learned. */
  usual: Usual | undefined;

  constructor(metrics: readonly string[], oddShare: number) {
    this.#metrics = metrics;
    this.#oddShare = oddShare;
    this.#pool = new UsualPool(metrics.length);
  }

  /** Rows that there are to learn from. */
  get rows(): number {
    return this.#pool.kept;
  }

  add(host: string, atMs: number, row: ArrayLike<number>): void {
    this.#pool.add(host, atMs, row);
  }

  /** From which score on a host is odd; NaN until it is known what is usual. */
  get threshold(): number {
    return this.usual === undefined ? Number.NaN : this.usual.threshold * this.#margin;
  }

  /**
   * What became of a host's minute.
   *
   * @param oddMinutes For how long it has been odd; 0: it is not.
   */
  judged(oddMinutes: number): void {
    if (oddMinutes > COUNTED_MINUTES) return;
    const factor = oddMinutes > 0 ? 1 + STEP : 1 - STEP * this.#oddShare;
    this.#margin = Math.min(Math.max(this.#margin * factor, 1), MARGIN_MAX);
  }

  /** Learns if it is time; true if so. Takes a tenth of a second to one second then. */
  learnIfDue(): boolean {
    const {kept, taken, spanMs} = this.#pool;
    if (kept < LEARNING_ROWS_MIN || spanMs < SPAN_MS_MIN) return false;
    const isDayOver = spanMs >= DAY_MS;
    const isMore = this.#isFirstDay && taken >= 2 * this.#learnedFrom;
    if (!isDayOver && !isMore) return false;
    this.usual = learnUsual(this.#metrics, this.#pool.list(), this.#oddShare);
    this.#learnedFrom = taken;
    this.#margin = Math.sqrt(this.#margin);
    if (isDayOver) {
      this.#isFirstDay = false;
      this.#pool.clear();
    }
    return true;
  }
}
