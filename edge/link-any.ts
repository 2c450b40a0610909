import type {Dial} from './ports.ts';

/**
 * Dials one of several cores: the same one as long as its streams last, the next one after a stream
 * has ended, whoever ended it. Which core takes a stream does not matter: they share one log.
 *
 * @param first Index of the core to begin with, so that edges can be spread.
 */
export function dialAny(dials: readonly Dial[], first = 0): Dial {
  let index = first % dials.length;
  return (hello, events) => {
    const dialled = index;
    const moveOn = (): void => {
      if (index === dialled) index = (dialled + 1) % dials.length;
    };
    const closed = (error: Error | undefined): void => {
      moveOn();
      events.closed(error);
    };
    const link = (dials[dialled] as Dial)(hello, {...events, closed});
    return {
      send: bytes => link.send(bytes),
      close() {
        moveOn();
        link.close();
      },
    };
  };
}
