/** Streams of edges to the ingest of a core: ordered, as TCP is, and cut at any moment. */
import type {Ingest} from '../../core/engine/ingest.ts';
import type {IngestSession, Reply} from '../../core/engine/ingest-session.ts';
import type {Random} from '../../core/ports.ts';
import type {Dial, Link, LinkEvents} from '../../edge/ports.ts';
import type {Network} from './network.ts';
import type {SimProcess} from './process.ts';
import type {Scheduler} from './scheduler.ts';

export type LinkFaults = {
  /** Share of the messages at which the stream breaks; what comes after is lost. */
  break: number;
  /** Share of the messages after which one direction falls silent. */
  halfOpen: number;
  delay: number;
  delayMsMax: number;
  /** A batch that arrives twice. */
  duplicate: number;
};

export const CALM_LINKS: LinkFaults = {
  break: 0,
  halfOpen: 0,
  delay: 0,
  delayMsMax: 0,
  duplicate: 0,
};

/** A core that takes streams. */
export type Server = {process: SimProcess; ingest: () => Ingest | undefined};

export type LinkOptions = {
  scheduler: Scheduler;
  network: Network;
  random: Random;
  edge: SimProcess;
  /** Which core the next stream goes to. */
  choose: () => Server;
  faults: () => LinkFaults;
  onFault: (what: string) => void;
  /** The edge hears this from a core. What nobody heard was never promised. */
  onReply: (edge: string, reply: Reply) => void;
};

/** A dial of one edge. */
export function createDial(options: LinkOptions): Dial {
  return (hello, events) => new Stream(options, hello, events).link;
}

const REFUSED_MS = 50;
const NOTICE_MS_MAX = 20_000;

/** One direction of a stream keeps its order, however long its messages take. */
class Direction {
  readonly #scheduler: Scheduler;
  #freeAtMs = 0;
  #onItsWay = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  pass(delayMs: number, act: () => void): void {
    const {nowMs} = this.#scheduler;
    const atMs = Math.max(this.#freeAtMs, Math.ceil(nowMs + delayMs));
    this.#freeAtMs = atMs;
    if (atMs <= nowMs && this.#onItsWay === 0) {
      act();
      return;
    }
    this.#onItsWay++;
    this.#scheduler.after(atMs - nowMs, () => {
      this.#onItsWay--;
      act();
    });
  }
}

class Stream {
  readonly link: Link;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #server: Server;
  readonly #edgeLife: number;
  readonly #serverLife: number;
  readonly #up: Direction;
  readonly #down: Direction;
  /** What the edge sent before the stream was open. */
  readonly #waiting: (() => void)[] = [];
  #session: IngestSession | undefined;
  /** What each side knows of the end. */
  #edgeEnded = false;
  #serverEnded = false;
  #silent = false;

  constructor(
    options: LinkOptions,
    hello: {edge: string; cell: string; incarnation: number},
    events: LinkEvents,
  ) {
    this.#options = options;
    this.#events = events;
    this.#server = options.choose();
    this.#edgeLife = options.edge.life;
    this.#serverLife = this.#server.process.life;
    this.#up = new Direction(options.scheduler);
    this.#down = new Direction(options.scheduler);
    this.link = {
      send: bytes => {
        this.#upward(() => this.#session?.record(bytes));
        return true;
      },
      close: () => {
        this.#edgeEnded = true;
        this.#upward(() => this.#endServer());
      },
    };
    // Nothing is told during the dial.
    options.scheduler.after(1, () => this.#open(hello));
    this.#server.process.onKill(() => this.#notice());
  }

  #open(hello: {edge: string; cell: string; incarnation: number}): void {
    const ingest = this.#server.ingest();
    if (ingest === undefined || !this.#isThrough()) {
      this.#options.scheduler.after(REFUSED_MS, () => this.#endEdge(new Error('refused')));
      return;
    }
    const session = ingest.open({
      reply: reply =>
        this.#downward(() => {
          this.#options.onReply(hello.edge, reply);
          tell(this.#events, reply);
        }),
      // The simulated edges send little: what is on its way then still arrives.
      pause: () => {},
      resume: () => {},
      end: error => {
        this.#serverEnded = true;
        this.#downward(() => this.#endEdge(error));
      },
    });
    session.hello(hello);
    this.#session = session;
    for (const send of this.#waiting.splice(0)) send();
  }

  /** The next message from the edge. */
  #upward(act: () => void): void {
    if (this.#session === undefined) {
      this.#waiting.push(() => this.#upward(act));
      return;
    }
    const {random, faults, onFault} = this.#options;
    if (this.#isBroken()) return;
    const deliver = (): void => {
      if (this.#serverEnded || this.#isLost()) return;
      this.#server.process.deliver(this.#serverLife, act);
    };
    this.#up.pass(this.#delayMs(), deliver);
    if (random.next() >= faults().duplicate) return;
    onFault('a batch that came twice');
    this.#up.pass(0, deliver);
  }

  #downward(act: () => void): void {
    if (this.#isBroken()) return;
    this.#down.pass(this.#delayMs(), () => {
      if (this.#isLost()) return;
      this.#options.edge.deliver(this.#edgeLife, () => {
        if (!this.#edgeEnded) act();
      });
    });
  }

  #delayMs(): number {
    const {delay, delayMsMax} = this.#options.faults();
    const {random} = this.#options;
    return delay > 0 && random.next() < delay ? random.next() * delayMsMax : 0;
  }

  #isThrough(): boolean {
    const {network, edge} = this.#options;
    return !this.#silent && network.reaches(edge.name, this.#server.process.name);
  }

  /** A message that does not arrive is the last one that was on its way. */
  #isLost(): boolean {
    if (this.#isThrough()) return false;
    if (!this.#silent) this.#notice();
    this.#silent = true;
    return true;
  }

  /** Whether this message finds the stream broken, now or from before. */
  #isBroken(): boolean {
    if (this.#silent) return true;
    const {random, faults, onFault} = this.#options;
    const {break: breaks, halfOpen} = faults();
    if (breaks + halfOpen === 0) return false;
    const draw = random.next();
    if (draw >= breaks + halfOpen) return false;
    onFault(draw < breaks ? 'a stream broke' : 'a stream fell silent');
    this.#silent = true;
    if (draw < breaks) this.#notice();
    return true;
  }

  /** Both sides hear of the end, each in its own time. */
  #notice(): void {
    if (this.#edgeEnded && this.#serverEnded) return;
    const {scheduler, random} = this.#options;
    scheduler.after(random.next() * NOTICE_MS_MAX * random.next(), () =>
      this.#endEdge(new Error('reset')),
    );
    scheduler.after(random.next() * NOTICE_MS_MAX, () => this.#endServer());
  }

  #endEdge(error: Error | undefined): void {
    this.#options.edge.deliver(this.#edgeLife, () => {
      if (this.#edgeEnded) return;
      this.#edgeEnded = true;
      this.#events.closed(error);
    });
  }

  #endServer(): void {
    this.#server.process.deliver(this.#serverLife, () => {
      if (this.#serverEnded) return;
      this.#serverEnded = true;
      this.#session?.close();
    });
  }
}

function tell(events: LinkEvents, reply: Reply): void {
  switch (reply.kind) {
    case 'ack':
      events.acked(reply.incarnation, reply.seq);
      return;
    case 'refusal':
      events.refused(reply);
      return;
    case 'throttle':
      events.throttled(reply.intervalMs);
  }
}
