import {join} from 'node:path';
import type {Files} from '../../core/ports.ts';
import type {ExampleBook} from './example-book.ts';
import {writeExamples} from './example-file.ts';
import type {KeeperOptions} from './keeper-parts.ts';
import {createTrainer, type TrainerOptions} from './trainer.ts';

export type BookTrainingOptions = TrainerOptions & {
  readonly book: ExampleBook;
  readonly files: Files;
  /** The training's own; the last examples and the last artefact stay in it. */
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
    files.makeDirectory(folder);
    const examples = join(folder, 'examples.bin');
    const dataHash = writeExamples(files, examples, book.examples());
    const job = {examples, parent, out: join(folder, 'artefact'), seed: SEED_MIN + seed};
    return {...(await trainer.train(job, signal)), dataHash};
  };
}
