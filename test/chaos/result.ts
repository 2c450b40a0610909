/** What a choreography came to, in figures and in a verdict. */
import {countFindings} from '../support/audit.ts';
import {countOf} from '../support/progress.ts';
import type {Outcome} from './run.ts';

/** Times in milliseconds; NaN where there was no takeover. */
export function figuresOf({findings, takeovers, figures}: Outcome): Record<string, number> {
  const decisionMs = takeovers.map(takeover => takeover.decisionMs).sort((a, b) => a - b);
  const tickMs = takeovers.map(takeover => takeover.tickMs).sort((a, b) => a - b);
  return {
    ...figures,
    takeovers: takeovers.length,
    takeoverP50Ms: middle(decisionMs),
    takeoverMaxMs: decisionMs.at(-1) ?? Number.NaN,
    takeoverTickP50Ms: middle(tickMs),
    takeoverTickMaxMs: tickMs.at(-1) ?? Number.NaN,
    ...countFindings(findings),
  };
}

/** The last line: what was held, or which promises were not. */
export function verdictOf({findings, figures}: Outcome): {
  verdict: 'held' | 'violated';
  line: string;
} {
  const acts = countOf(figures.acts ?? 0, 'act');
  const broken = Object.entries(countFindings(findings)).filter(([, count]) => count > 0);
  if (broken.length === 0) {
    return {verdict: 'held', line: `held: ${acts}, nothing lost, done twice or out of order`};
  }
  const which = broken.map(([name, count]) => `${name} ${count}`).join(', ');
  return {verdict: 'violated', line: `violated: ${which}; after ${acts}`};
}

function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
