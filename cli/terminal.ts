/**
 * Names and comments come from whoever sent them. On a terminal a control character in one could
 * clear the screen or forge a line; here it is shown as what it is.
 */

/** One word or name for a terminal: control characters, line feeds too, become `\\x1b`. */
export function harmlessName(text: string): string {
  return text.replace(/\p{Cc}/gu, escaped);
}

/** A text of several lines that we made: its line feeds and our colours pass. */
export function harmlessText(text: string): string {
  return text.replace(/\p{Cc}/gu, (found, at: number) =>
    found === '\n' || isColour(text, at) ? found : escaped(found),
  );
}

function isColour(text: string, at: number): boolean {
  return text[at] === '\u001b' && /^\[\d{1,2}m/.test(text.slice(at + 1, at + 5));
}

function escaped(control: string): string {
  return `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
