import {type ChildProcess, spawn} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {hostname, tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import test from 'ava';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {lockDirectory} from '../../core/adapters/log-segments-lock.ts';

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

test('who died while it took a lock over stands in nobody’s way; who may be alive does', t => {
  const files = createMemoryFiles();
  files.makeDirectory('/data');
  const holder = (host: string) =>
    Buffer.from(JSON.stringify({pid: 1, host, startedAt: 'x', token: 't'}));
  const isAlive = ({host}: {host: string}) => host === 'elsewhere';
  const claim = `/data/lock.${randomUUID()}`;
  files.create('/data/lock', holder('gone'));
  files.create(claim, holder('elsewhere'));
  const error = t.throws(() => lockDirectory(files, '/data', isAlive), {code: 'DATA_DIR_LOCKED'});
  t.regex(`${error?.message}`, /remove \/data\/lock\.\* if nobody is/);
  t.is(Buffer.from(files.read('/data/lock')).toString(), holder('gone').toString());
  files.replace(claim, holder('gone'));
  const unlock = lockDirectory(files, '/data', isAlive);
  t.deepEqual(files.list('/data'), ['lock']);
  unlock();
  t.deepEqual(files.list('/data'), []);
});

test('a lock that cannot be read now is not taken for a stale one', t => {
  const files = createMemoryFiles();
  files.makeDirectory('/data');
  lockDirectory(files, '/data');
  const read = () => {
    throw Object.assign(new Error('EIO: input/output error'), {code: 'EIO'});
  };
  t.throws(() => lockDirectory({...files, read}, '/data'), {code: 'EIO'});
  t.deepEqual(files.list('/data'), ['lock']);
});

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
