import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {ForestayError} from '../../core/domain/errors.ts';

const downloadMs = 10 * 60_000;

type JarName = 'kafka' | 'questdb';

/** Says why the services cannot be run here, or nothing if they can. */
export function missingTool(...services: readonly JarName[]): string | undefined {
  // Maven fetches the jars, once.
  const tools = services.every(name => existsSync(jarsFolder(name))) ? ['java'] : ['java', 'mvn'];
  for (const tool of tools) {
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
export function ensureJars(service: JarName): string {
  const jars = jarsFolder(service);
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
      pomOf(service),
      'dependency:copy-dependencies',
      `-DoutputDirectory=${partial}`,
    ],
    {stdio: ['ignore', 2, 2], timeout: downloadMs},
  );
  if (status !== 0) {
    rmSync(partial, {recursive: true, force: true});
    throw new ForestayError(
      'DEPENDENCY_UNREACHABLE',
      `mvn could not fetch ${service} (status ${status}, signal ${signal}); what it said is above`,
      {cause: error},
    );
  }
  if (existsSync(jars)) rmSync(partial, {recursive: true});
  else renameSync(partial, jars);
  return jars;
}

function pomOf(service: JarName): string {
  return fileURLToPath(new URL(`${service}.pom.xml`, import.meta.url));
}

function jarsFolder(service: JarName): string {
  const pom = readFileSync(pomOf(service));
  const version = createHash('sha256').update(pom).digest('hex').slice(0, 12);
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'forestay');
  return join(cache, `${service}-${version}`);
}
