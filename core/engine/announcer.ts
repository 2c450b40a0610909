/**
 * Fence first: agents hear an owner's epoch before it observes or decides, so that nothing that a
 * former owner still sends is carried out.
 */
import {eachAtOnce, within} from '../domain/concurrency.ts';
import {formatError, isForestayError} from '../domain/errors.ts';
import type {Actuator, AgentAddress, Clock, Random} from '../ports.ts';
import {type HostEntry, type PartitionState, sortedKeys} from './partition-state.ts';

/** Agents that are told at once. */
const AT_ONCE_MAX = 32;
/** A start waits this long for agents; those that answer later are frozen until then. */
const ANNOUNCE_MS = 2_000;
/** A frozen host's agent is told again this much later at most, doubled up to the bound. */
const AGAIN_MS = 2_000;
const AGAIN_MS_MAX = 60_000;
/** An owner that was superseded has found out by then. */
const SUPERSEDED_MS = 10_000;

export type Announcer = {
  /** Tells an agent the epoch, once per address. Errors: those of the actuator. */
  announce(actuator: Actuator, agent: AgentAddress): Promise<void>;
  /**
   * Tells all, for two seconds at most: hosts whose agent has not answered by then are frozen, and
   * free once it does. On a simulated base every answer is awaited.
   */
  announceAll(): Promise<void>;
  /** Tells those of frozen hosts again, when it is time; who answers is free. */
  announceFrozen(): Promise<void>;
};

export function createAnnouncer({
  state,
  actuators,
  clock,
  random,
  onProblem = () => {},
}: {
  state: PartitionState;
  actuators: {hypervisor: Actuator; balancer: Actuator};
  clock: Clock;
  random: Random;
  onProblem?: ((partition: number, problem: string) => void) | undefined;
}): Announcer {
  const jitter = random.fork(`announcer/${state.partition}`);
  /** Epochs that were told, by agent and address. */
  const announced = new Map<string, number>();
  const again = new Map<string, {atMs: number; waitMs: number}>();
  /** Announcements that outlast their start. */
  let late: Promise<void> = Promise.resolve();
  const noteRefusal = watchRefusals(state.partition, clock, onProblem);

  const announce = async (actuator: Actuator, agent: AgentAddress): Promise<void> => {
    const key = `${agent.agent}@${agent.address}`;
    if (announced.get(key) === state.epoch) return;
    try {
      await actuator.announce(agent, {partition: state.partition, epoch: state.epoch});
    } catch (error) {
      noteRefusal(error);
      throw error;
    }
    announced.set(key, state.epoch);
  };

  /** Agents come back at other addresses; at each three may listen. */
  const forgetMoved = (): void => {
    if (announced.size <= 3 * state.hosts.size) return;
    const listening = new Set(
      [...state.hosts.values()].flatMap(host =>
        [host.name, 'power', 'balancer'].map(agent => `${agent}@${addressOf(host)}`),
      ),
    );
    for (const key of announced.keys()) if (!listening.has(key)) announced.delete(key);
  };

  const tryToAnnounce = async (actuator: Actuator, agent: AgentAddress): Promise<boolean> => {
    try {
      await announce(actuator, agent);
      return true;
    } catch (error) {
      if (!isForestayError(error)) throw error;
      return false;
    }
  };

  const tellHost = async (host: HostEntry): Promise<void> => {
    const agent = {agent: host.name, address: addressOf(host)};
    host.frozen = !(await tryToAnnounce(actuators.hypervisor, agent));
    if (!host.frozen) {
      again.delete(host.name);
      return;
    }
    const waitMs = Math.min(2 * (again.get(host.name)?.waitMs ?? AGAIN_MS / 2), AGAIN_MS_MAX);
    again.set(host.name, {atMs: clock.monotonicMs() + jitter.next() * waitMs, waitMs});
  };

  const tellAll = async (hosts: readonly HostEntry[]) => {
    for (const host of hosts) host.frozen = true;
    await eachAtOnce(hosts, AT_ONCE_MAX, tellHost);
    // Power and traffic hear it here if they are there, else before they are first asked.
    const addresses = [...new Set(hosts.filter(host => !host.frozen).map(addressOf))];
    await eachAtOnce(addresses, AT_ONCE_MAX, async address => {
      await tryToAnnounce(actuators.hypervisor, {agent: 'power', address});
      await tryToAnnounce(actuators.balancer, {agent: 'balancer', address});
    });
  };

  return {
    announce,
    async announceAll() {
      const hosts = sortedKeys(state.hosts)
        .map(name => state.hosts.get(name) as HostEntry)
        .filter(host => addressOf(host) !== '');
      if (hosts.length === 0) return;
      const telling = tellAll(hosts);
      if (state.timeBase === 'simulated') return await telling;
      await within(clock, ANNOUNCE_MS, telling);
      late = telling;
      // Whoever asks next hears of what went wrong.
      late.catch(() => {});
    },
    async announceFrozen() {
      forgetMoved();
      await late;
      if (again.size === 0) return;
      const nowMs = clock.monotonicMs();
      const due = [...again]
        .filter(([, {atMs}]) => atMs <= nowMs)
        .slice(0, AT_ONCE_MAX)
        .flatMap(([name]) => state.hosts.get(name) ?? []);
      await eachAtOnce(due, AT_ONCE_MAX, tellHost);
    },
  };
}

function addressOf(host: HostEntry): string {
  return host.facts?.actuatorAddress ?? '';
}

/** Agents that know a later epoch than the journal's last owner refuse it for ever: said once. */
function watchRefusals(
  partition: number,
  clock: Clock,
  onProblem: (partition: number, problem: string) => void,
): (error: unknown) => void {
  let refusedAtMs = Number.NaN;
  let isTold = false;
  return error => {
    if (isTold || !isForestayError(error, 'STALE_EPOCH')) return;
    const nowMs = clock.monotonicMs();
    if (Number.isNaN(refusedAtMs)) refusedAtMs = nowMs;
    if (nowMs - refusedAtMs < SUPERSEDED_MS) return;
    isTold = true;
    onProblem(
      partition,
      `${formatError(error)}; but this core owns the journal: it was set back, or cores with another log ask ` +
        'the same agents. They refuse all acts of this partition: restore its journal, or empty the ' +
        "agents' folders of effects while nothing is under way",
    );
  };
}
