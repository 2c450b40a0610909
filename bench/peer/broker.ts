import {readFile} from 'node:fs/promises';

/**
 * The process of the Kafka that this process or its parent started; undefined if neither did, or
 * the system does not tell (it is not Linux).
 */
export async function findBroker(): Promise<number | undefined> {
  for (const parent of [process.pid, process.ppid]) {
    const children = await read(`/proc/${parent}/task/${parent}/children`);
    for (const child of children.split(' ').filter(pid => pid !== '')) {
      if ((await read(`/proc/${child}/cmdline`)).includes('kafka.Kafka')) return Number(child);
    }
  }
  return undefined;
}

const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
