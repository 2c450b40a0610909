import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {hostname, tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import test from 'ava';

const program = join(import.meta.dirname, 'lock-process.ts');
const contenders = 2;
const rounds = 200;

/** A folder for each round: without a lock, or with one whose process is gone. */
function foldersIn(base: string, goneId: number): string[] {
  return Array.from({length: rounds}, (_, round) => {
    const folder = join(base, `${round}`);
    mkdirSync(folder);
    const gone = {pid: goneId, host: hostname(), startedAt: 'long ago', token: 'gone'};
    const stale = [undefined, JSON.stringify(gone), '', '{"pid": 1'][round % 4];
    if (stale !== undefined) writeFileSync(join(folder, 'lock'), stale);
    return folder;
  });
}

async function outcomesOf(child: ChildProcess): Promise<string[]> {
  const lines = createInterface({input: child.stdout as NodeJS.ReadableStream});
  const [line] = (await once(lines, 'line')) as [string];
  return JSON.parse(line) as string[];
}

test('of two processes that lock a folder in the same moment one gets it, whatever was there before', async t => {
  const base = mkdtempSync(join(tmpdir(), 'forestay-contended-'));
  t.teardown(() => rmSync(base, {recursive: true}));
  const gone = spawn('true', {stdio: 'ignore'});
  await once(gone, 'exit');
  const folders = foldersIn(base, gone.pid as number);
  const firstAtMs = Date.now() + 1500;
  const children = Array.from({length: contenders}, () =>
    spawn(process.execPath, [program, `${firstAtMs}`, '15', ...folders], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  const outcomes = await Promise.all(children.map(outcomesOf));
  for (const child of children) {
    child.stdin?.end();
    await once(child, 'exit');
  }
  for (const [round, folder] of folders.entries()) {
    t.deepEqual(
      outcomes.map(of => of[round]).sort(),
      ['DATA_DIR_LOCKED', 'held'],
      `round ${round}`,
    );
    t.deepEqual(readdirSync(folder), ['lock'], 'nothing else is left');
  }
});
