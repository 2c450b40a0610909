import {pino} from 'pino';

/** To stderr, at once: stdout is for results, and a last word must not be lost in a buffer. */
const logger = pino(
  {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {level: label => ({level: label})},
  },
  pino.destination({dest: 2, sync: true}),
);

/** JSON for machines; plain lines where a person reads. */
const isWatched = process.stderr.isTTY === true;

export function logInfo(message: string, fields: Readonly<Record<string, unknown>>): void {
  if (isWatched) process.stderr.write(`${message}\n`);
  else logger.info(fields, message);
}

export function logProblem(message: string): void {
  if (isWatched) process.stderr.write(`problem: ${message}\n`);
  else logger.warn(message);
}
