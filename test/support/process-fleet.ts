/** A core and its edges as processes, and what can be asked of them. */

import {mkdirSync, renameSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import type {ExecutionContext} from 'ava';
import {
  type Exit,
  eventually,
  forestay,
  type LaunchOptions,
  launch,
  type Program,
  temporaryFolder,
} from './process.ts';

export type CoreProcess = Program & {
  grpc: string;
  http: string;
  /** Runs a command against this core; gives what it printed as JSON. */
  ask<Answer>(...args: readonly string[]): Promise<Answer>;
  /** Runs a command against this core, whatever becomes of it. */
  command(...args: readonly string[]): Promise<Exit>;
  /** Asks it to stop; fails unless it ends with 0 and says so. */
  stop(): Promise<void>;
};

export const FREE_PORTS = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'] as const;

/** Starts a core on free ports and waits until it serves and is ready. */
export async function startCore(
  t: ExecutionContext,
  data: string,
  args: readonly string[] = [],
  options: LaunchOptions = {},
): Promise<CoreProcess> {
  const all = ['core', '--data', data, ...FREE_PORTS, ...args];
  // Where no forestay.yaml of somebody else's is.
  const core = launch(t, all, {cwd: data, ...options});
  const [, grpc = ''] = await core.said(/"grpcAddress":"([^"]+)"/);
  const [, http = ''] = await core.said(/"httpAddress":"([^"]+)"/);
  const command = (...words: readonly string[]) => forestay(t, [...words, '--server', grpc]);
  return {
    ...core,
    grpc,
    http,
    command,
    async ask<Answer>(...words: readonly string[]): Promise<Answer> {
      const {code, stdout, stderr} = await command(...words, '-o', 'json');
      if (code !== 0) throw new Error(`forestay ${words.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout) as Answer;
    },
    async stop() {
      core.signal('SIGTERM');
      const {code, stderr} = await core.exit();
      t.is(code, 0, stderr);
      t.regex(stderr, /"msg":"stopped"/);
    },
  };
}

/** Raises a host at once, for whatever there is to see then. */
export const EAGER = `
policy:
  band: {enter: 0.02, enterHoldMs: 0, leave: 0.001, leaveHoldMs: 60000}
ticks: {tickMs: 100}
`;

export type Host = {
  name: string;
  state: string;
  risk: number;
  scoreTime?: string;
  cordoned: boolean;
  frozen: boolean;
  actuatorAddress: string;
  componentRisks: unknown[];
  partition: number;
};
type Move = {seq: number; event: string; from: string; to: string};
export type Actor = {state: string; context: string; history: Move[]; effects: unknown[]};
type Partition = {
  partition: number;
  epoch: string;
  tickNumber: string;
  mode: string;
  paused: boolean;
};
export type Status = {
  ready: boolean;
  partitions: Partition[];
  cells: {cell: string; ingestedSamples: string; storedSamples: string}[];
};

/** Waits until every check of a core is well. */
export function ready(core: CoreProcess): Promise<true> {
  return eventually(
    'a ready core',
    async () => (await fetch(`http://${core.http}/readyz`)).status === 200,
  );
}

/** The host, once it is known. */
export async function findHost(core: CoreProcess, name: string): Promise<Host | undefined> {
  const {hosts} = await core.ask<{hosts: Host[]}>('hosts', 'list');
  return hosts.find(host => host.name === name);
}

export async function partitionOf(core: CoreProcess, number: number): Promise<Partition> {
  const {partitions} = await core.ask<Status>('status');
  return partitions.find(({partition}) => partition === number) as Partition;
}

/** The root folder of a host whose counters go on. Nobody sees half a file of it. */
export function livingHost(t: ExecutionContext): string {
  const root = temporaryFolder(t);
  const beat = (beats: number) => {
    for (const [path, text] of Object.entries(hostTree(beats))) {
      const file = join(root, path);
      mkdirSync(dirname(file), {recursive: true});
      writeFileSync(join(root, 'next'), text);
      renameSync(join(root, 'next'), file);
    }
  };
  let beats = 0;
  beat(beats);
  const beating = setInterval(() => beat(++beats), 100);
  t.teardown(() => clearInterval(beating));
  return root;
}

export type EdgeProcess = Program & {
  /** Counters of its /metrics, by name without `forestay_edge_` and `_total`. */
  counters(): Promise<Readonly<Record<string, number>>>;
  stop(): Promise<void>;
};

/** Starts an edge that samples ten times a second, and waits until it runs. */
export async function startEdge(
  t: ExecutionContext,
  {core, root, host, spool}: {core: string; root: string; host: string; spool: string},
  args: readonly string[] = [],
): Promise<EdgeProcess> {
  const named = ['--core', core, '--root', root, '--host', host, '--spool', spool];
  const rest = ['--interval', '100ms', '--http', '127.0.0.1:0', ...args];
  const edge = launch(t, ['edge', ...named, ...rest]);
  const [, metrics = ''] = await edge.said(/(http:\S+\/metrics)/);
  await edge.said(/streams to/);
  return {
    ...edge,
    async counters() {
      const text = await (await fetch(metrics)).text();
      const found = text.matchAll(/^forestay_edge_(\w+?)(?:_total)? (\S+)$/gm);
      return Object.fromEntries([...found].map(([, name, value]) => [name, Number(value)]));
    },
    async stop() {
      edge.signal('SIGTERM');
      const {code, stderr} = await edge.exit();
      t.is(code, 0, stderr);
    },
  };
}

/** Rows of a table of a core that has stopped, as sqlite has them. */
export function readSqlite<Row>(data: string, query: string, ...values: string[]): Row[] {
  const database = new DatabaseSync(join(data, 'forestay.sqlite'), {readOnly: true});
  try {
    return database.prepare(query).all(...values) as Row[];
  } finally {
    database.close();
  }
}

/** /proc and /sys of a small host, `beats` after its start: every counter has gone on. */
function hostTree(beats = 0): Readonly<Record<string, string>> {
  const busy = 100 + beats * 3;
  const idle = 900 + beats * 7;
  const cpu = `${busy} 0 50 ${idle} 10 0 0 0 0 0`;
  return {
    'proc/stat': `cpu  ${cpu}\ncpu0 ${cpu}\ncpu1 ${cpu}\n`,
    'proc/meminfo':
      'MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n',
    'proc/diskstats': `8 0 sda ${beats} 0 ${beats * 8} ${beats} ${beats} 0 ${beats * 8} ${beats} 0 ${beats} ${beats}\n`,
    'proc/sys/kernel/random/boot_id': '11111111-2222-3333-4444-555555555555\n',
    'sys/class/hwmon/hwmon0/temp1_input': `${41_500 + (beats % 7) * 100}\n`,
    'sys/devices/system/edac/mc/mc0/ce_count': `${beats}\n`,
    'sys/devices/system/edac/mc/mc0/ue_count': '0\n',
  };
}
