import {type CommandClass, classifyCommand} from './command-classes.ts';
import {parseSyslogLine} from './syslog-line.ts';

/** What stands further behind is not looked at: anybody can write long messages. */
const messageMax = 4_096;

/**
 * The class of the command in a message of sudo, su or doas; undefined if it says nothing of one that was
 * run (a session, a refusal, a wrong password).
 */
export function classOfMessage(tag: string, whole: string): CommandClass | undefined {
  const message = whole.slice(0, messageMax);
  if (tag === 'sudo') {
    if (/ (?:not allowed|incorrect password|not in sudoers)/.test(message)) return undefined;
    const command = /^\s*\S+ : .*\bUSER=root ; .*?\bCOMMAND=(.*)$/.exec(message)?.[1];
    return command === undefined ? undefined : classifyCommand(command);
  }
  if (tag === 'doas') {
    const command = / ran command (.*) as root /.exec(message)?.[1];
    return command === undefined ? undefined : classifyCommand(command);
  }
  // What is done behind it is not said.
  if (tag === 'su') return /^\(to root\) /.test(message) ? 'other' : undefined;
  return undefined;
}

/** The same for a line of auth.log or secure. */
export function classOfAuthLine(line: string): CommandClass | undefined {
  const parsed = parseSyslogLine(line);
  return parsed && classOfMessage(parsed.tag, parsed.message);
}

/** No login: a daemon. */
const unsetUser = '4294967295';

/**
 * Reads lines of the audit log: the class of what somebody who has logged in started as root. A
 * record of arguments belongs to the record of the call just before it, by its number.
 */
export function createAuditReader(): (line: string) => CommandClass | undefined {
  let call = '';
  return line => {
    const [, kind, id] = /\btype=(SYSCALL|EXECVE) msg=audit\(([^)]+)\)/.exec(line) ?? [];
    if (id === undefined) return undefined;
    const field = (name: string) => new RegExp(`\\b${name}=(\\d+)`).exec(line)?.[1];
    if (kind === 'SYSCALL') {
      const isPersonAsRoot = field('euid') === '0' && field('auid') !== unsetUser;
      call = isPersonAsRoot ? id : '';
      return undefined;
    }
    if (id !== call) return undefined;
    call = '';
    const words = [...line.matchAll(/\ba\d+=(?:"([^"]*)"|([0-9A-F]+))/g)].map(
      ([, plain, hex]) => plain ?? Buffer.from(hex ?? '', 'hex').toString('utf8'),
    );
    // What it runs is a call of its own.
    return /(^|\/)(sudo|su|doas)$/.test(words[0] ?? '')
      ? undefined
      : classifyCommand(words.join(' '));
  };
}
