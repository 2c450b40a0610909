/** What an agent and the thread of its reboot-intent model say to each other. */
import type {ErrorCode} from '../core/domain/errors.ts';
import type {IntentManifest} from '../core/domain/intent-manifest.ts';

export type IntentRequest =
  | {readonly kind: 'next'; readonly id: number; readonly key: string; readonly row: Float32Array}
  | {
      readonly kind: 'explain';
      readonly id: number;
      readonly samples: Float32Array;
      readonly output: number;
    }
  | {readonly kind: 'forget'; readonly key: string}
  | {readonly kind: 'close'};

/** Of the request `id`; 0: of the start. */
export type IntentReply =
  | {readonly id: 0; readonly manifest: IntentManifest}
  | {readonly id: number; readonly values: Float32Array}
  | {
      readonly id: number;
      /** An error's own fields do not survive the way between threads. */
      readonly code: ErrorCode;
      readonly message: string;
      readonly cause: string;
    };

export type IntentWorkerData = {readonly folder: string};
