import type {Position} from '../../edge/frame.ts';
import type {Dial, LinkEvents} from '../../edge/ports.ts';

export type Stream = {
  hello: {edge: string; cell: string; incarnation: number};
  events: LinkEvents;
  /** What was sent on it, as text. */
  sent: string[];
  isOpen: boolean;
};

/** The other end of an uplink, played by the test. */
export function scriptedCore() {
  const streams: Stream[] = [];
  const script = {isAway: false, isFull: false};
  const dial: Dial = (hello, events) => {
    if (script.isAway) throw new Error('nobody is there');
    const stream: Stream = {hello, events, sent: [], isOpen: true};
    streams.push(stream);
    return {
      send(bytes) {
        stream.sent.push(Buffer.from(bytes).toString().replace(/\.+$/, ''));
        return !script.isFull;
      },
      close() {
        stream.isOpen = false;
      },
    };
  };
  return {
    dial,
    script,
    streams,
    /** The stream that is open now. */
    get stream(): Stream {
      const last = streams.at(-1);
      if (last === undefined) throw new Error('no stream was opened');
      return last;
    },
    ack({incarnation, seq}: Position): void {
      this.stream.events.acked(incarnation, seq);
    },
  };
}
