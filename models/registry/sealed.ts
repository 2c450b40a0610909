import {createHash} from 'node:crypto';

/** A value in a file of its own or on a line, with a check over it: damage is seen, not believed. */

/** One line of JSON, without its line feed. */
export function seal(value: object): string {
  return JSON.stringify({...value, check: checkOf(value)});
}

/** What was sealed; undefined if it is anything else, cut off or changed. */
export function unseal<Value extends object>(text: string): Value | undefined {
  try {
    const {check, ...value} = JSON.parse(text) as Value & {check: string};
    return check === checkOf(value) ? (value as unknown as Value) : undefined;
  } catch {
    return undefined;
  }
}

function checkOf(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
