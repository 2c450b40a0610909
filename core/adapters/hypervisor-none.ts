import {ForestayError} from '../domain/errors.ts';
import type {Actuator} from '../ports.ts';

/**
 * For a core that only observes (`--hypervisor none`): it acts on nothing, and says so.
 *
 * Errors: `EFFECT_UNSUPPORTED`, for every call.
 */
export function createNoActuator(): Actuator {
  const refuse = async (subject: string): Promise<never> => {
    throw new ForestayError(
      'EFFECT_UNSUPPORTED',
      `${subject}: this core runs with hypervisor none and cannot act; configure a hypervisor`,
      {details: {subject}},
    );
  };
  return {
    announce: ({agent}) => refuse(`announce to ${agent}`),
    execute: ({kind, id}) => refuse(`${kind} ${id}`),
    query: ({agent}) => refuse(`query ${agent}`),
    cancel: (_agent, id) => refuse(`cancel ${id}`),
    renewLease: ({agent}) => refuse(`renew the lease of ${agent}`),
    async close() {},
  };
}
