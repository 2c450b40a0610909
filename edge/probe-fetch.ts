import {ForestayError} from '../core/domain/errors.ts';

export type FetchLimits = {deadlineMs: number; bytesMax: number};

const usualLimits: FetchLimits = {deadlineMs: 2_000, bytesMax: 4 * 1024 * 1024};

/** How an endpoint is called in messages: without what may be secret (user, password, query). */
export function nameOfUrl(url: string): string {
  const {origin, pathname} = new URL(url);
  return `${origin}${pathname}`;
}

/**
 * The text behind a URL (http or https). Redirects are not followed: whoever may answer here may
 * not send this host anywhere else.
 * Errors: `SENSOR_FAILED` unless 200 and the whole text came in time and within the bytes.
 */
export async function fetchText(
  url: string,
  signal: AbortSignal,
  limits: Partial<FetchLimits> = {},
): Promise<string> {
  const {deadlineMs, bytesMax} = {...usualLimits, ...limits};
  const {get} = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  return new Promise((resolve, reject) => {
    const refuse = (what: string, cause?: unknown): void => {
      clearTimeout(deadline);
      request.destroy();
      const message = `cannot read ${nameOfUrl(url)}: ${what}`;
      reject(new ForestayError('SENSOR_FAILED', message, {retryable: true, cause}));
    };
    const headers = {accept: 'text/plain', 'accept-encoding': 'identity'};
    const request = get(url, {signal, headers, agent: false}, response => {
      if (response.statusCode !== 200) {
        refuse(`status ${response.statusCode}, need 200`);
        return;
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes > bytesMax) refuse(`more than ${bytesMax} bytes`);
      });
      response.on('end', () => {
        clearTimeout(deadline);
        resolve(Buffer.concat(chunks).toString('utf8'));
      });
      response.on('error', cause => refuse('the answer broke off', cause));
    });
    const deadline = setTimeout(() => refuse(`no whole answer in ${deadlineMs} ms`), deadlineMs);
    request.on('error', cause => refuse(cause.message, cause));
  });
}
