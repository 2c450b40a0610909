export type SyslogLine = {
  /** The program: `kernel`, `sudo`, `systemd`. */
  tag: string;
  message: string;
};

/** Time (as ever, or RFC 3339) and host, then program with its number, then what it says. */
const pattern =
  /^(?:[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}|\d{4}-\d{2}-\d{2}T\S+) \S+ ([^\s:[]+)(?:\[\d+\])?: (.*)$/;

/** A line of a text log as rsyslog or syslog-ng write it; undefined for any other. */
export function parseSyslogLine(line: string): SyslogLine | undefined {
  const [, tag, message] = pattern.exec(line) ?? [];
  if (tag === undefined || message === undefined) return undefined;
  // The kernel's own time since boot.
  return {tag, message: tag === 'kernel' ? message.replace(/^\[ *\d+\.\d+\] /, '') : message};
}
