import type {Random} from '../../core/ports.ts';
import type {SimProcess} from './process.ts';
import type {Scheduler} from './scheduler.ts';

/** How often things go wrong on a network; all are probabilities but the times. */
export type NetworkFaults = {
  /** A request that never arrives, an answer that never does. */
  lose: number;
  /** A request that arrives after its caller has given up. */
  late: number;
  duplicate: number;
  delay: number;
  delayMsMax: number;
  /** The caller dies at a call: before it was sent, or before its answer. */
  crash: number;
};

export const CALM_NETWORK: NetworkFaults = {
  lose: 0,
  late: 0,
  duplicate: 0,
  delay: 0,
  delayMsMax: 0,
  crash: 0,
};

type Fate = 'well' | 'lost-request' | 'lost-answer' | 'late' | 'duplicate' | 'delayed';

/** Calls between processes, and who can reach whom. */
export class Network {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #cut = new Set<string>();
  readonly #isolated = new Set<string>();
  readonly #onFault: (what: string) => void;
  faults: NetworkFaults = CALM_NETWORK;
  /** Asked to kill the caller of a call. */
  onCrash: (process: SimProcess) => void = () => {};

  constructor(scheduler: Scheduler, random: Random, onFault: (what: string) => void) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#onFault = onFault;
  }

  cut(a: string, b: string): void {
    this.#cut.add(pair(a, b));
  }

  heal(a: string, b: string): void {
    this.#cut.delete(pair(a, b));
  }

  isolate(name: string): void {
    this.#isolated.add(name);
  }

  rejoin(name: string): void {
    this.#isolated.delete(name);
  }

  healAll(): void {
    this.#cut.clear();
  }

  reaches(a: string, b: string): boolean {
    return !this.#isolated.has(a) && !this.#isolated.has(b) && !this.#cut.has(pair(a, b));
  }

  /**
   * Does `act` at the other process and gives what came of it. Rejects with `timeOut()` when no
   * answer came in time: the other side may have done it, or may still do it.
   */
  call<T>(
    from: SimProcess,
    to: SimProcess,
    act: () => Promise<T>,
    {timeoutMs, timeOut}: {timeoutMs: number; timeOut: () => Error},
  ): Promise<T> {
    const life = from.life;
    return new Promise((resolve, reject) => {
      from.deliver(life, () => {
        const end = this.#scheduler.after(timeoutMs, () =>
          from.deliver(life, () => reject(timeOut())),
        );
        const fate = this.#fateOf(from);
        const answer = (toLife: number, settle: () => void): void => {
          if (!to.lives(toLife) || fate === 'lost-answer') return;
          if (!this.reaches(from.name, to.name)) return;
          end();
          this.#travel(fate, () => from.deliver(life, settle));
        };
        const arrive = (): void => {
          if (!to.isAlive || !this.reaches(from.name, to.name)) return;
          const toLife = to.life;
          to.deliver(toLife, () => {
            attempt(act).then(
              value => answer(toLife, () => resolve(value)),
              error => answer(toLife, () => reject(error)),
            );
          });
        };
        this.#send(from, fate, timeoutMs, arrive);
      });
    });
  }

  #send(from: SimProcess, fate: Fate, timeoutMs: number, arrive: () => void): void {
    const {crash, delayMsMax} = this.faults;
    const crashes = from.lives(from.life) && crash > 0 && this.#random.next() < crash;
    if (crashes && this.#random.next() < 0.5) {
      this.onCrash(from);
      return;
    }
    if (fate === 'late') {
      const lateMs = timeoutMs + this.#random.next() * 2 * timeoutMs;
      this.#scheduler.after(lateMs, arrive);
    } else if (fate === 'duplicate') {
      arrive();
      this.#scheduler.after(this.#random.next() * (delayMsMax + 100), arrive);
    } else if (fate !== 'lost-request') {
      this.#travel(fate, arrive);
    }
    if (crashes) this.onCrash(from);
  }

  #travel(fate: Fate, act: () => void): void {
    if (fate === 'delayed')
      this.#scheduler.after(1 + this.#random.next() * this.faults.delayMsMax, act);
    else act();
  }

  #fateOf(from: SimProcess): Fate {
    const {lose, late, duplicate, delay} = this.faults;
    if (lose + late + duplicate + delay === 0) return 'well';
    let draw = this.#random.next();
    for (const [fate, share] of [
      ['lost-request', lose / 2],
      ['lost-answer', lose / 2],
      ['late', late],
      ['duplicate', duplicate],
      ['delayed', delay],
    ] as const) {
      draw -= share;
      if (draw >= 0) continue;
      if (fate !== 'delayed') this.#onFault(`${fate} of ${from.name}`);
      return fate;
    }
    return 'well';
  }
}

const pair = (a: string, b: string): string => (a < b ? `${a}|${b}` : `${b}|${a}`);

/** What a process says at once that it cannot do is an answer like any other. */
function attempt<T>(act: () => Promise<T>): Promise<T> {
  try {
    return act();
  } catch (error) {
    return Promise.reject(error);
  }
}
