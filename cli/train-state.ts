import {join} from 'node:path';

/** Where a training keeps what it needs to go on, until its model is written; inside of `out`. */
export function trainingFolder(out: string): string {
  return join(out, '.training');
}
