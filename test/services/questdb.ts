import {mkdirSync, mkdtempSync, readdirSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {ensureJars} from './jars.ts';
import {freePort, startJava} from './java-process.ts';

/** One QuestDB 9.1, HTTP only, on a free loopback port, its data in a folder of /tmp. */
export async function startQuestDb(): Promise<{httpAddress: string; stop(): Promise<void>}> {
  const jars = ensureJars('questdb');
  const jar = readdirSync(jars).find(name => name.startsWith('questdb-')) as string;
  const directory = mkdtempSync(join(tmpdir(), 'forestay-questdb-'));
  const httpAddress = `127.0.0.1:${await freePort()}`;
  mkdirSync(join(directory, 'conf'));
  writeFileSync(join(directory, 'conf', 'server.conf'), serverConf(httpAddress));
  const {stop} = await startJava({
    name: 'QuestDB',
    directory,
    args: [
      '-Xmx512m',
      '-XX:+UseSerialGC',
      '-p',
      join(jars, jar),
      '-m',
      'io.questdb/io.questdb.ServerMain',
      '-d',
      directory,
    ],
    ready: () => answers(httpAddress),
  });
  return {httpAddress, stop};
}

/** Small pages: by default every column of every table partition takes 16 MiB of disk at once. */
function serverConf(httpAddress: string): string {
  return `http.bind.to=${httpAddress}
http.min.enabled=false
pg.enabled=false
line.tcp.enabled=false
telemetry.enabled=false
shared.worker.count=2
# Column files grow by this much; the default of 16 MiB a column fills a disk with small tables.
cairo.writer.data.append.page.size=65536
cairo.wal.writer.data.append.page.size=65536
cairo.o3.column.memory.size=65536
`;
}

async function answers(httpAddress: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${httpAddress}/exec?query=select%201`, {
      signal: AbortSignal.timeout(2_000),
    });
    await response.text();
    return response.ok;
  } catch {
    return false;
  }
}
