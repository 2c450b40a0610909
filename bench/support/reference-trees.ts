import {execFile} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import type {DrawnFailures} from './drawn-failures.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('reference-trees.py', import.meta.url));

export type ReferenceModel = {
  readonly kind: 'boosting' | 'randomForest' | 'isolationForest';
  /** In the words of its library. */
  readonly [parameter: string]: string | number | boolean;
};

export type Reference = {
  readonly versions: Readonly<Record<string, string>>;
  /** One a model that was asked for; `logLoss` is null where scores are no probabilities. */
  readonly models: readonly {
    readonly cpuSeconds: number;
    readonly auc: number;
    readonly logLoss: number | null;
  }[];
};

/** Why LightGBM cannot be asked; undefined if it can. */
export async function findReference(): Promise<string | undefined> {
  try {
    await run('python3', ['-c', 'import lightgbm, numpy']);
    return undefined;
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1);
  }
}

/** Trains the models with LightGBM and scikit-learn; the rows after `trainRows` judge them. */
export async function askReference(
  drawn: DrawnFailures,
  trainRows: number,
  models: readonly ReferenceModel[],
): Promise<Reference> {
  const folder = await mkdtemp(join(tmpdir(), 'forestay-reference-'));
  try {
    const task = JSON.stringify({columns: drawn.columns, trainRows, models});
    await writeFile(join(folder, 'task.json'), task);
    await writeFile(join(folder, 'features.f32'), new Uint8Array(drawn.features.buffer));
    await writeFile(join(folder, 'labels.u8'), drawn.labels);
    const {stdout} = await run('python3', [SCRIPT, folder]);
    return JSON.parse(stdout) as Reference;
  } finally {
    await rm(folder, {recursive: true});
  }
}
