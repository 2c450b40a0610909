import {fnv1a32} from '../core/domain/hash.ts';
import {type Chart, type ChartState, type ChartTransition, chartOf} from './chart.ts';
import type {ActorKind} from './events.ts';
import {machines} from './registry.ts';

/**
 * A machine as data, for tools and for comparing two versions: equal charts have equal hashes,
 * whatever their order of properties in memory.
 */
export function exportJson(
  kind: ActorKind,
): {machine: string; version: number; hash: string} & Chart {
  const {id: machine, version} = machines[kind];
  const chart = chartOf(kind);
  const hash = fnv1a32(JSON.stringify(chart)).toString(16).padStart(8, '0');
  return {machine, version, hash, ...chart};
}

/**
 * A machine as a Mermaid `stateDiagram-v2`. Transitions that only change the context are left out;
 * the JSON has them.
 */
export function exportMermaid(kind: ActorKind): string {
  const {states, transitions} = chartOf(kind);
  const lines = ['stateDiagram-v2', '  direction LR', `  [*] --> ${idOf(states[0]?.path ?? '')}`];
  for (const state of states.filter(({path}) => !path.includes('.'))) {
    lines.push(...box(state, states));
  }
  for (const transition of transitions) {
    const {from, to, effects} = transition;
    if (from === '' || (to === '' && effects.length === 0)) continue;
    lines.push(`  ${idOf(from)} --> ${idOf(to || from)}: ${labelOf(transition)}`);
  }
  return `${lines.join('\n')}\n`;
}

function box(state: ChartState, states: readonly ChartState[]): string[] {
  const children = states.filter(({path}) => path.startsWith(`${state.path}.`));
  const name = (path: string) => `state "${path.split('.').at(-1)}" as ${idOf(path)}`;
  if (children.length === 0) return [`  ${name(state.path)}`];
  return [
    `  ${name(state.path)} {`,
    `    [*] --> ${idOf(state.initial)}`,
    ...children.map(({path}) => `    ${name(path)}`),
    '  }',
  ];
}

/** Mermaid knows neither dots nor hyphens in names. */
function idOf(path: string): string {
  return path.replaceAll('.', '__').replaceAll('-', '_');
}

function labelOf({event, guard, effects}: ChartTransition): string {
  const condition = guard === '' ? '' : ` [${guard}]`;
  const asks = effects.length === 0 ? '' : ` / ${effects.join(', ')}`;
  return `${event}${condition}${asks}`.trim();
}

/** The page of docs/statecharts: the picture, and which states ask for and wait for what. */
export function exportPage(kind: ActorKind): string {
  const {machine, version, hash, states} = exportJson(kind);
  const rows = states
    .filter(({leaf}) => leaf)
    .map(({path, awaits, effects}) => `| ${path} | ${effects.join(', ')} | ${awaits} |`);
  return [
    `# Statechart of a ${machine}`,
    '',
    `Generated from statecharts/${machine}.ts (version ${version}, hash ${hash}); a test fails when it is stale.`,
    'Every state × event is in [statecharts/SPEC.md](../../statecharts/SPEC.md).',
    '',
    '```mermaid',
    exportMermaid(kind).trimEnd(),
    '```',
    '',
    '| state | asks for on entry | waits for |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/**
 * State × event as Markdown, one table a top-level state: what an actor in the column's state does
 * on the row's event, guards in order of their evaluation. `–`: nothing.
 */
export function exportTable(kind: ActorKind): string {
  const {states, transitions} = chartOf(kind);
  const leaves = states.filter(({leaf}) => leaf);
  const events = [...new Set(transitions.map(({event}) => event))].sort();
  const tops = [...new Set(leaves.map(({path}) => path.split('.')[0]))];
  return tops
    .map(top => {
      const columns = leaves.filter(({path}) => path.split('.')[0] === top).map(({path}) => path);
      const header = columns.map(path => path.split('.').at(1) ?? path);
      const rows = events.map(event => {
        const cells = columns.map(path => cellOf(transitions, path, event));
        return `| ${event || '(at once)'} | ${cells.join(' | ')} |`;
      });
      const rule = `|${'---|'.repeat(columns.length + 1)}`;
      return [`### ${top}`, '', `| event | ${header.join(' | ')} |`, rule, ...rows, ''].join('\n');
    })
    .join('\n');
}

/** Children before parents: the first transition whose guard holds is taken. */
function cellOf(transitions: readonly ChartTransition[], path: string, event: string): string {
  const parts = path.split('.');
  const scopes = parts.map((_, depth) => parts.slice(0, parts.length - depth).join('.'));
  const ways = new Set<string>();
  for (const scope of [...scopes, '']) {
    for (const way of transitions.filter(each => each.from === scope && each.event === event)) {
      ways.add(wayOf(way));
      if (way.guard === '') return [...ways].join('; ');
    }
  }
  return ways.size === 0 ? '–' : [...ways].join('; ');
}

function wayOf({guard, to, actions, effects}: ChartTransition): string {
  const condition = guard === '' ? '' : `[${guard}] `;
  const asks = effects.length === 0 ? '' : ` / ${effects.join(', ')}`;
  if (to !== '') return `${condition}→ ${to}${asks}`;
  if (actions.length === 0) return `${condition}ignored`;
  return asks === '' ? `${condition}${actions.join(', ')}` : `${condition}stays${asks}`;
}
