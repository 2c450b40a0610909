/** How long after a signal the same one is taken for its echo. */
const ECHO_MS = 1000;

/**
 * Aborts at the first SIGINT or SIGTERM, with its name as the reason: the command ends in order. The
 * same one again ends the process at once; but not within a second, for Ctrl-C reaches a command that
 * was started through another one (`npm start`, `bin/forestay` with an older Node) twice.
 */
export function firstSignal(): AbortSignal {
  const asked = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      const echo = () => {};
      process.on(signal, echo);
      setTimeout(() => process.off(signal, echo), ECHO_MS).unref();
      asked.abort(signal);
    });
  }
  return asked.signal;
}
