import {randomUUID} from 'node:crypto';
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import type {Files} from '../../core/ports.ts';
import type {ExampleBook} from './example-book.ts';
import {writeExamples} from './example-file.ts';
import type {KeeperOptions} from './keeper-parts.ts';
import {createTrainer, type TrainerOptions} from './trainer.ts';

export type BookTrainingOptions = TrainerOptions & {
  readonly book: ExampleBook;
  readonly files: Files;
  /**
   * The trainings' own; the examples and the artefact of the last one stay in it. Each has a folder of
   * its own in there: what an older one leaves late, that outlived its core, is never taken for it.
   */
  readonly folder: string;
};

/** Seeds below belong to demonstrations: see core/simulation/seeds.ts. */
const SEED_MIN = 1000;

/** A keeper's training: on top of the model that it names, from what the book holds by then. */
export function trainFromBook({
  book,
  files,
  folder,
  ...options
}: BookTrainingOptions): KeeperOptions['train'] {
  const trainer = createTrainer(options);
  return async ({parent, seed}, signal) => {
    rmSync(folder, {recursive: true, force: true});
    const own = join(folder, randomUUID());
    files.makeDirectory(own);
    const examples = join(own, 'examples.bin');
    const dataHash = writeExamples(files, examples, book.examples());
    const job = {examples, parent, out: join(own, 'artefact'), seed: SEED_MIN + seed};
    return {...(await trainer.train(job, signal)), dataHash};
  };
}
