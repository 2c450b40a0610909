import type {Command} from 'commander';
import type {DecisionSchema} from '../proto/gen/forestay/v1/decision_pb.ts';
import type {Connection} from './client.ts';
import {addResourceVerbs, type Resource} from './resources.ts';

const decisions: Resource<typeof DecisionSchema> = {
  plural: 'decisions',
  singular: 'decision',
  async load() {
    const [{DecisionService}, {decisionListing}] = await Promise.all([
      import('../proto/gen/forestay/v1/decision_pb.ts'),
      import('./listings.ts'),
    ]);
    const open = (core: Connection) => core.client(DecisionService);
    return {
      listing: decisionListing,
      async get(core, name) {
        const service = open(core);
        const {decision} = await core.call(service, service.getDecision, {name});
        return decision as NonNullable<typeof decision>;
      },
      async list(core, page) {
        const service = open(core);
        const answer = await core.call(service, service.listDecisions, page);
        return {items: answer.decisions, nextPageToken: answer.nextPageToken};
      },
    };
  },
};

export function registerDecisions(program: Command): void {
  const command = program
    .command('decisions')
    .description('what was decided and why, newest first');
  addResourceVerbs(command, decisions);
}
