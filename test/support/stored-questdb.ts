import type {Stored, StoredMove} from './audit.ts';
import {batchKey} from './told.ts';

/** What a QuestDB has of the samples and moves of a whole fleet. */
export async function readQuestDb(address: string): Promise<Stored> {
  const ofBatch = 'edge, incarnation, seq, count()';
  const hosts = await ask<[string, number, number, number, number | null]>(
    address,
    `SELECT ${ofBatch}, max(cpu_utilisation_ratio) FROM samples_host_v2`,
  );
  const vms = await ask<[string, number, number, number]>(
    address,
    `SELECT ${ofBatch} FROM samples_vm_v1`,
  );
  const batches = new Map<string, {rows: number; hostValue: number | null}>();
  for (const [edge, incarnation, seq, rows, value] of hosts) {
    batches.set(batchKey({edge, incarnation, seq}), {rows, hostValue: value});
  }
  for (const [edge, incarnation, seq, rows] of vms) {
    const key = batchKey({edge, incarnation, seq});
    const {hostValue = null, rows: before = 0} = batches.get(key) ?? {};
    batches.set(key, {rows: before + rows, hostValue});
  }
  const moves = await ask<[string, number, string, string]>(
    address,
    'SELECT actor, seq, from_state, to_state FROM transitions',
  );
  const transitions = moves.map(([actor, seq, from, to]): StoredMove => ({actor, seq, from, to}));
  return {batches, transitions};
}

/** Rows of a query; none if its table is not there yet. */
async function ask<Row>(address: string, query: string): Promise<Row[]> {
  const response = await fetch(`http://${address}/exec?${new URLSearchParams({query})}`);
  const answer = (await response.json()) as {dataset?: Row[]; error?: string};
  if (answer.dataset !== undefined) return answer.dataset;
  if (answer.error?.includes('does not exist')) return [];
  throw new Error(`QuestDB: ${answer.error} in ${query}`);
}
