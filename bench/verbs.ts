import {compare} from './compare.ts';
import {feedback} from './feedback.ts';
import {ingest} from './ingest.ts';
import {intent} from './intent.ts';
import {log} from './log.ts';
import {models} from './models.ts';
import {peer} from './peer.ts';
import {pipeline} from './pipeline.ts';
import {predict} from './predict.ts';
import {recover} from './recover.ts';
import {renewal} from './renewal.ts';
import {saturate} from './saturate.ts';
import {self} from './self.ts';
import {train} from './train.ts';
import {trainNetwork} from './train-network.ts';
import type {BenchVerb} from './verb.ts';

/** Everything that `forestay bench` can measure, in the order of its help. */
export const verbs: readonly BenchVerb[] = [
  predict,
  ingest,
  log,
  pipeline,
  peer,
  saturate,
  recover,
  train,
  trainNetwork,
  intent,
  feedback,
  models,
  renewal,
  compare,
  self,
];
