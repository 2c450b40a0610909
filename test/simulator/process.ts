import type {Clock} from '../../core/ports.ts';
import type {Scheduler} from './scheduler.ts';

/**
 * One operating-system process of the simulation. What runs in it waits only through its clock, its
 * files and the network; all three stop answering a life that was killed, and answer a paused one
 * late. So a kill strikes wherever the program happens to wait.
 */
export class SimProcess {
  readonly name: string;
  readonly #scheduler: Scheduler;
  readonly #killed: (() => void)[] = [];
  #life = 0;
  #isAlive = false;
  #paused: (() => void)[] | undefined;
  /** How far its wall clock is off. */
  skewMs = 0;

  constructor(name: string, scheduler: Scheduler) {
    this.name = name;
    this.#scheduler = scheduler;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isRunning(): boolean {
    return this.#isAlive && this.#paused === undefined;
  }

  /** Number of the present life, or of the last one. */
  get life(): number {
    return this.#life;
  }

  /** Whether this life still lasts. */
  lives(life: number): boolean {
    return this.#isAlive && this.#life === life;
  }

  start(): number {
    this.#isAlive = true;
    this.#paused = undefined;
    return ++this.#life;
  }

  /** Ends this life: nothing that it waits for will ever come. */
  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#paused = undefined;
    for (const act of this.#killed) act();
  }

  /** Told of every kill. */
  onKill(act: () => void): void {
    this.#killed.push(act);
  }

  pause(): void {
    if (this.#isAlive) this.#paused ??= [];
  }

  resume(): void {
    const waiting = this.#paused ?? [];
    this.#paused = undefined;
    for (const act of waiting) act();
  }

  /** Lets something happen in a life: now, once it goes on, or never. */
  deliver(life: number, act: () => void): void {
    if (!this.lives(life)) return;
    if (this.#paused === undefined) act();
    else this.#paused.push(() => this.deliver(life, act));
  }

  /** Resolves when the life may do something; never if it is over. */
  running(life: number): Promise<void> {
    return new Promise(resolve => this.deliver(life, resolve));
  }

  /** The clock of the present life. */
  clock(): Clock {
    const life = this.#life;
    const scheduler = this.#scheduler;
    return {
      nowMs: () => scheduler.nowMs + this.skewMs,
      monotonicMs: () => scheduler.nowMs,
      sleep: (ms, signal) =>
        new Promise(resolve => {
          if (signal?.aborted) return resolve();
          const cancel = scheduler.after(ms, () => this.deliver(life, wake));
          const wake = (): void => {
            cancel();
            signal?.removeEventListener('abort', wake);
            resolve();
          };
          signal?.addEventListener('abort', wake, {once: true});
        }),
    };
  }
}
