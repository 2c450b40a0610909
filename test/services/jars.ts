import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const downloadMs = 10 * 60_000;

/** Says why a service cannot be run here, or nothing if it can. */
export function missingTool(): string | undefined {
  for (const tool of ['java', 'mvn']) {
    const {error, status} = spawnSync(tool, ['-version'], {stdio: 'ignore'});
    if (error !== undefined || status !== 0)
      return `${tool} is not there: install Debian's openjdk-17-jre-headless and maven`;
  }
  return undefined;
}

/**
 * The folder with a service's jars, as its pom names them. They are fetched once, into the user's
 * cache; a changed pom gets a folder of its own.
 */
export function ensureJars(service: 'kafka' | 'questdb'): string {
  const pom = fileURLToPath(new URL(`${service}.pom.xml`, import.meta.url));
  const version = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'forestay');
  const jars = join(cache, `${service}-${version}`);
  if (existsSync(jars)) return jars;

  // Fetched beside and renamed, so that two runs at once never see half a folder.
  const partial = `${jars}.${process.pid}`;
  mkdirSync(partial, {recursive: true});
  const {status, signal, error} = spawnSync(
    'mvn',
    [
      '-q',
      '-B',
      '-Dstyle.color=never',
      '-f',
      pom,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${partial}`,
    ],
    {stdio: ['ignore', 2, 2], timeout: downloadMs},
  );
  if (status !== 0) {
    rmSync(partial, {recursive: true, force: true});
    throw new Error(`mvn could not fetch ${service} (status ${status}, signal ${signal})`, {
      cause: error,
    });
  }
  if (existsSync(jars)) rmSync(partial, {recursive: true});
  else renameSync(partial, jars);
  return jars;
}
