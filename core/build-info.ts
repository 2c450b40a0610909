import {readFileSync} from 'node:fs';

/** Version of the package; the commit is known where a build put it into the environment. */
export function buildInfo(): {version: string; commit: string} {
  const file = new URL('../package.json', import.meta.url);
  const {version} = JSON.parse(readFileSync(file, 'utf8')) as {version: string};
  return {version, commit: process.env.FORESTAY_COMMIT ?? ''};
}
