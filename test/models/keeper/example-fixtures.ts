/** A small fleet that is observed every five minutes. */
import {COMPONENTS, type Component} from '../../../core/domain/components.ts';
import type {HostOutcome, ObservedRows} from '../../../core/domain/observed.ts';
import type {ExampleBook} from '../../../models/keeper/example-book.ts';
import type {ExampleSet} from '../../../models/keeper/example-set.ts';

export const MINUTE_MS = 60_000;
const GRID_MINUTES = 5;
const COLUMNS = 3;

/** Rows of these hosts; the first column is the minute, the second the host's place. */
export function rowsAt(
  minute: number,
  hosts: readonly string[],
  more: Partial<ObservedRows> = {},
): ObservedRows {
  return {
    partition: 7,
    atMs: minute * MINUTE_MS,
    featureHash: 99,
    featureCount: COLUMNS,
    hosts: hosts.map(name => ({
      name,
      cell: 'cell-a',
      hardware: name.startsWith('new') ? 'gen-2' : 'gen-1',
      modelHash: 'champion',
      bootAtMs: 0,
    })),
    features: Float32Array.from(hosts.flatMap((_, place) => [minute, place, Number.NaN])),
    outputs: COMPONENTS,
    risks: new Float32Array(hosts.length * COMPONENTS.length),
    ...more,
  };
}

type Kind = Exclude<HostOutcome['kind'], 'evacuated'>;

/** Told at once unless `toldAt` says later, in minutes. */
export function outcome(
  kind: Kind,
  host: string,
  minute: number,
  component: Component | '' = '',
  toldAt = minute,
): HostOutcome {
  const times = {atMs: minute * MINUTE_MS, recordedAtMs: toldAt * MINUTE_MS};
  return {partition: 7, host, cell: 'cell-a', ...times, kind, component};
}

export function evacuated(
  host: string,
  minute: number,
  component: Component,
  risk: number,
): HostOutcome {
  const {kind: _, ...common} = outcome('lost', host, minute, component);
  return {...common, kind: 'evacuated', component, risk, propensity: 1};
}

/** Lets a fleet go by from a minute up to another; each host is heard unless it is in `gone`. */
export function watch(
  book: ExampleBook,
  hosts: readonly string[],
  from: number,
  to: number,
  gone: (host: string, minute: number) => boolean = () => false,
): void {
  for (let minute = from; minute <= to; minute += GRID_MINUTES) {
    book.observe(
      rowsAt(
        minute,
        hosts.filter(host => !gone(host, minute)),
      ),
    );
  }
}

/** Of one host and part, by minute: what trees are to learn. */
export function targetsOf(set: ExampleSet, host: string, component: Component) {
  const place = set.hosts.findIndex(({name}) => name === host);
  const output = COMPONENTS.indexOf(component);
  return new Map(
    [...set.host.entries()]
      .filter(([, each]) => each === place)
      .map(([row]) => [
        (set.atMs[row] as number) / MINUTE_MS,
        set.targets[row * COMPONENTS.length + output] as number,
      ]),
  );
}
