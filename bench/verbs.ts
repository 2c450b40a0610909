import {pipeline} from './pipeline.ts';
import {predict} from './predict.ts';
import type {BenchVerb} from './verb.ts';

/** Everything that `forestay bench` can measure, in the order of its help. */
export const verbs: readonly BenchVerb[] = [predict, pipeline];
