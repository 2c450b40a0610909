import type {Tick} from '../domain/records.ts';
import {resource} from './actor-directory.ts';
import type {TickDraft} from './tick-draft.ts';

/**
 * Applies what a tick of the journal did instead of doing it again: another version of the
 * machines or the planner must not rewrite history.
 */
export function applyRecorded(draft: TickDraft, recorded: Tick): void {
  const {state} = draft;
  for (const transition of recorded.transitions) {
    const kind = transition.actor.startsWith('hosts/') ? 'host' : 'vm';
    const name = transition.actor.slice(transition.actor.indexOf('/') + 1);
    state.actors.start(kind, name, {
      id: resource(kind, name),
      kind,
      machineVersion: transition.machineVersion,
      seq: transition.seq,
      state: transition.to,
      context: transition.context,
      quarantined: '',
    });
    noteTransition(draft, transition.actor, transition.event);
  }
  for (const effect of recorded.effects) {
    state.running.set(effect.id, {...effect, issuedAtMs: recorded.timeMs});
  }
  for (const decision of recorded.decisions) {
    const key = `${decision.action}|${decision.targetHost}|${decision.outcome}|${decision.blockedBy}`;
    state.decided.set(decision.entity, {key, atMs: decision.atMs});
  }
  if (recorded.decisions.length > 0) state.plannedAtMs = recorded.timeMs;
  draft.transitions.push(...recorded.transitions);
  draft.effects.push(...recorded.effects);
  draft.decisions.push(...recorded.decisions);
}

/** Facts beside the actor that a live tick sets when it sends the event. */
function noteTransition({state}: TickDraft, actor: string, event: string): void {
  const host = state.hosts.get(actor.slice('hosts/'.length));
  if (!actor.startsWith('hosts/') || host === undefined) return;
  if (event === 'host.lost') host.lostBootId = host.facts?.bootId ?? '';
  if (event === 'host.returned') host.lostBootId = '';
}
