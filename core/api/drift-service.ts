import {toDrift} from '../../proto/codec-drift.ts';
import type {DriftService} from '../../proto/gen/forestay/v1/drift_pb.ts';
import type {Handlers} from '../../proto/grpc.ts';
import type {KeeperSight} from '../domain/drift/report.ts';
import {unary} from './handlers.ts';

export type DriftDeps = {
  /** What the keeper of the models is at; undefined: there is none. */
  keeper?: (() => KeeperSight) | undefined;
};

export function driftHandlers({keeper}: DriftDeps): Handlers<(typeof DriftService)['method']> {
  return {getDrift: unary(() => toDrift(keeper?.()))};
}
