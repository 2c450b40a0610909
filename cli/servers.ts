import type * as grpc from '@grpc/grpc-js';
import {InvalidArgumentError} from 'commander';
import {parseAddress} from '../core/domain/address.ts';

/** For commander: HOST:PORT as it was written. */
export function parseServer(text: string): string {
  if (parseAddress(text) !== undefined) return text;
  throw new InvalidArgumentError('Expected HOST:PORT, for instance 127.0.0.1:7443.');
}

/** For commander: HOST:PORT, or several with commas between them. */
export function parseServers(text: string): string[] {
  return text.split(',').map(parseServer);
}

/** A core that takes no connection for so long is passed over. */
const REACH_MS = 2_000;

/** Cores of which any will do: the first that can be reached, and another when it goes away. */
export class Servers {
  readonly #servers: readonly string[];
  readonly #open: (server: string) => grpc.Client;
  #at = 0;

  /** @param open Makes a client that is closed here. */
  constructor(servers: readonly string[], open: (server: string) => grpc.Client) {
    this.#servers = servers;
    this.#open = open;
  }

  get current(): string {
    return this.#servers[this.#at] as string;
  }

  /**
   * Takes the first that can be reached, in their order; false if there is none. One alone is taken
   * at its word: its calls say what is wrong.
   */
  choose(): Promise<boolean> {
    return this.#chooseFrom(0);
  }

  /** The current one has failed: takes another, or it again if it alone can be reached. */
  async moveOn(): Promise<void> {
    await this.#chooseFrom(this.#at + 1);
  }

  async #chooseFrom(first: number): Promise<boolean> {
    const count = this.#servers.length;
    if (count === 1) return true;
    for (let step = 0; step < count; step++) {
      const at = (first + step) % count;
      if (!(await this.#isReachable(this.#servers[at] as string))) continue;
      this.#at = at;
      return true;
    }
    return false;
  }

  async #isReachable(server: string): Promise<boolean> {
    const client = this.#open(server);
    try {
      return await isConnected(client.getChannel(), Date.now() + REACH_MS);
    } finally {
      client.close();
    }
  }
}

/** As `grpc.connectivityState` has them, which is not loaded before it is needed. */
const READY = 2;
const TRANSIENT_FAILURE = 3;

/** Waits until a channel is connected, has failed once, or is late. */
function isConnected(
  channel: ReturnType<grpc.Client['getChannel']>,
  deadlineMs: number,
): Promise<boolean> {
  return new Promise(resolve => {
    const look = (): void => {
      const state: number = channel.getConnectivityState(true);
      if (state >= READY) resolve(state < TRANSIENT_FAILURE);
      else
        channel.watchConnectivityState(state, deadlineMs, late => (late ? resolve(false) : look()));
    };
    look();
  });
}
