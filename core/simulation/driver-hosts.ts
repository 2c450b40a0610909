import {between} from './draws.ts';
import {done, type HostRule} from './driver-rules.ts';

/** A mark for schedulers; the host goes on as before. */
export const cordon: HostRule = ({world, host, nowMs}) => {
  host.cordoned = true;
  world.ledger.act(host.name, nowMs);
  return done();
};

export const uncordon: HostRule = ({world, host}) => {
  host.cordoned = false;
  world.ledger.clear(host.name);
  return done();
};

/** Out-of-band power: it answers even when the host hangs, and a repeat confirms. */
export const fence: HostRule = ({world, host, nowMs}) => {
  const stream = host.random.fork(`fence/${host.boots}`);
  const seconds = between(stream, 2, 5);
  const pending = world.tasks.find(task => task.effect.kind === 'fence-host' && task.host === host);
  const endsAtMs = pending?.endsAtMs ?? nowMs + Math.round(seconds * 1000);
  return {status: 'running', host, endsAtMs};
};
