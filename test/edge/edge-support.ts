/** Edges and agents as tests start them: all that a test does not care about is set here. */
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryFiles, type MemoryFiles} from '../../core/adapters/files-memory.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {type AgentOptions, createAgent} from '../../edge/agent.ts';
import {type EdgeOptions, runEdge} from '../../edge/main.ts';
import {codec} from '../../proto/codec.ts';
import {temporaryFolder} from '../support/process.ts';

/** A whole edge, from the root folder of a host; its core is away unless one is given. */
export function startEdge(
  t: ExecutionContext,
  options: Partial<EdgeOptions> & Pick<EdgeOptions, 'root'>,
) {
  const notes: string[] = [];
  const {spool = join(temporaryFolder(t), 'spool')} = options;
  const stopping = new AbortController();
  const running = runEdge(
    {
      core: '127.0.0.1:1',
      cell: 'default',
      host: 'h01',
      rack: 'r1',
      intervalMs: 20,
      spool,
      actuatorListen: undefined,
      http: undefined,
      insecure: false,
      version: '0.0.1',
      clock: systemClock,
      files: nodeFiles,
      random: {next: () => 0.5},
      note: line => notes.push(line),
      ...options,
    },
    stopping.signal,
  );
  return {
    running,
    notes,
    spool,
    /** The first match in what it has noted, once there is one. */
    async said(pattern: RegExp): Promise<RegExpExecArray> {
      for (;;) {
        for (const line of notes) {
          const match = pattern.exec(line);
          if (match !== null) return match;
        }
        await systemClock.sleep(5);
      }
    },
    stop() {
      stopping.abort();
      return running;
    },
  };
}

/** An agent without a process around it: it samples when it is told to, and its disk is in memory. */
export function makeAgent(
  t: ExecutionContext,
  options: Partial<AgentOptions> & Pick<AgentOptions, 'dial' | 'sensors'>,
) {
  const notes: string[] = [];
  const files = (options.files as MemoryFiles) ?? createMemoryFiles();
  const agent = createAgent({
    edge: 'h01',
    cell: 'c1',
    timeBase: 'simulated',
    fleets: [],
    clock: systemClock,
    random: {next: () => 0.1},
    codec,
    spoolFolder: '/spool',
    uplinkLimits: {retryMsMin: 20, retryMsMax: 100},
    drainMs: 5000,
    note: line => notes.push(line),
    ...options,
    files,
  });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= agent.stop();
    return stopped;
  };
  t.teardown(stop);
  return {agent, files, notes, stop};
}
