import type {Socket} from 'node:net';

export type GateOptions = {
  /** Connections that may be open at once. */
  connectionsMax: number;
  /** How long one may be open without having asked for anything. */
  silentMs: number;
  /** Whether a connection has asked for something, where nobody calls {@link ConnectionGate.heard}. */
  hasSpoken?: (socket: Socket) => boolean;
};

const SWEEP_MS = 1000;

/**
 * Keeps connections that ask for nothing from keeping out those that do: a silent one ends after a
 * while, and at once, the oldest first, when there is no room for a new one. A connection on which
 * something was heard stays; only when all have spoken, a new one is refused.
 */
export class ConnectionGate {
  readonly #options: GateOptions;
  readonly #open = new Set<Socket>();
  /** Since when, monotonic; oldest first. */
  readonly #silent = new Map<Socket, number>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
  }

  /** Open connections, and how many of them have not asked for anything. */
  counts(): {open: number; silent: number} {
    return {open: this.#open.size, silent: this.#silent.size};
  }

  /** Takes a new connection in; false if it was refused and is gone. */
  admit(socket: Socket): boolean {
    if (this.#open.size >= this.#options.connectionsMax) {
      const oldest = this.#oldestSilent();
      if (oldest === undefined) {
        socket.destroy();
        return false;
      }
      this.#end(oldest);
    }
    this.#open.add(socket);
    this.#silent.set(socket, performance.now());
    socket.once('close', () => this.#forget(socket));
    return true;
  }

  /** It has asked for something. */
  heard(socket: Socket): void {
    this.#silent.delete(socket);
  }

  /** Ends the silent ones; the others are their server's. */
  close(): void {
    clearInterval(this.#sweeper);
    for (const socket of [...this.#silent.keys()]) this.#end(socket);
  }

  #sweep(): void {
    const silentBefore = performance.now() - this.#options.silentMs;
    for (const [socket, sinceMs] of this.#silent) {
      if (sinceMs > silentBefore) return;
      if (this.#hasSpoken(socket)) this.heard(socket);
      else this.#end(socket);
    }
  }

  #oldestSilent(): Socket | undefined {
    for (const socket of this.#silent.keys()) {
      if (!this.#hasSpoken(socket)) return socket;
      this.heard(socket);
    }
    return undefined;
  }

  #hasSpoken(socket: Socket): boolean {
    return this.#options.hasSpoken?.(socket) ?? false;
  }

  #end(socket: Socket): void {
    this.#forget(socket);
    socket.destroy();
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket);
    this.#silent.delete(socket);
  }
}
