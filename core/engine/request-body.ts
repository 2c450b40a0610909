import {createHash} from 'node:crypto';
import type {InboxRecord} from '../domain/records.ts';

/** More than enough that no two bodies meet. */
const LENGTH = 22;

/**
 * What a request asks for, as 22 characters that are the same for the same body, whoever sent it and
 * when: so that an id that comes again is known for a repeat, or for another request.
 */
export function requestBody(record: InboxRecord): string {
  const {requestId: _requestId, atMs: _atMs, author: _author, ...body} = record;
  const fields = Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(fields)).digest('base64url').slice(0, LENGTH);
}
