/** The thread of the reboot-intent model, but that it dies of a row that begins with 666. */
import {parentPort} from 'node:worker_threads';
import type {IntentRequest} from '../../edge/intent-messages.ts';

await import('../../edge/intent-worker.ts');
parentPort?.on('message', (request: IntentRequest) => {
  if (request.kind === 'next' && request.row[0] === 666) throw new Error('struck down');
});
