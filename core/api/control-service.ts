import {randomUUID} from 'node:crypto';
import {type ControlService, HostDeclaration} from '../../proto/gen/forestay/v1/control_pb.ts';
import type {Handlers} from '../../proto/grpc.ts';
import {COMPONENTS, type Component} from '../domain/components.ts';
import {ForestayError} from '../domain/errors.ts';
import {PERCENT_ALL} from '../domain/model-use.ts';
import {MODES, type Mode} from '../domain/policy.ts';
import type {InboxRecord} from '../domain/records.ts';
import type {ReadModel} from '../engine/read-model.ts';
import {requestBody} from '../engine/request-body.ts';
import type {Clock} from '../ports.ts';
import {findRow} from './fleet-service.ts';
import {unary} from './handlers.ts';
import {checkedRequestId, type RequestIds, reused} from './request-ids.ts';
import {modeMessages, restrainedModels, type StatusDeps, toStatus} from './status.ts';

const COMMENT_LENGTH_MAX = 1000;

export type ControlDeps = StatusDeps & {
  model: ReadModel;
  clock: Clock;
  requestIds: RequestIds;
  /**
   * What the log's state knows a request to have asked for ({@link requestBody}), from before this
   * process too; undefined if nothing is known of it.
   */
  takenAs?(requestId: string): string | undefined;
  /** Resolves once the record is durable in the inbox of every partition. */
  submit(record: InboxRecord): Promise<void>;
};

/** What a command does, without who asked and when. */
type Command =
  | {kind: 'pause' | 'resume'; comment: string}
  | {kind: 'set-mode'; mode: Mode}
  | {kind: 'switch-model'; modelHash: string; percent: number; comment: string}
  | {kind: 'lift-restraint'; cell: string; comment: string}
  | {kind: 'declare-host'; host: string; state: 'lost' | 'returned'; part?: Component};

type Asked = {requestId: string; author: string};

export function controlHandlers(deps: ControlDeps): Handlers<(typeof ControlService)['method']> {
  const change = async <Told extends object>(
    asked: Asked,
    peer: string,
    command: Command,
    told?: Told,
  ) => {
    const requestId = checkedRequestId(asked.requestId) || randomUUID();
    const author = checkedText('author', asked.author, 200) || peer;
    const body = JSON.stringify([command, asked.author]);
    return await deps.requestIds.once(requestId, body, async () => {
      const record = {requestId, atMs: deps.clock.nowMs(), author, ...command};
      const taken = deps.takenAs?.(requestId);
      if (taken !== undefined && taken !== requestBody(record)) {
        throw reused(requestId, 'before this core started, or at another core');
      }
      await deps.submit(record);
      return {requestId, ...told};
    });
  };
  return {
    pauseActions: unary((request, peer) => {
      const comment = checkedText('comment', request.comment, COMMENT_LENGTH_MAX);
      return change(request, peer, {kind: 'pause', comment});
    }),
    resumeActions: unary((request, peer) => {
      const comment = checkedText('comment', request.comment, COMMENT_LENGTH_MAX);
      return change(request, peer, {kind: 'resume', comment});
    }),
    setMode: unary((request, peer) => {
      const mode = modes.get(request.mode);
      if (mode === undefined) throw invalid('mode', `mode is one of ${MODES.join(', ')}`);
      return change(request, peer, {kind: 'set-mode', mode});
    }),
    switchModel: unary((request, peer) => {
      const {modelHash, percent} = request;
      if (!/^[0-9a-f]{64}$/.test(modelHash)) {
        throw invalid('model_hash', 'model_hash is the SHA-256 of a model: 64 hexadecimal digits');
      }
      if (percent > PERCENT_ALL) throw invalid('percent', `percent is ${percent}, at most 100`);
      const comment = checkedText('comment', request.comment, COMMENT_LENGTH_MAX);
      return change(request, peer, {kind: 'switch-model', modelHash, percent, comment});
    }),
    liftRestraint: unary((request, peer) => {
      const cell = checkedText('cell', request.cell, 200);
      if (cell === '') throw invalid('cell', 'cell is empty: name the cell whose models may act');
      const comment = checkedText('comment', request.comment, COMMENT_LENGTH_MAX);
      const restrained = restrainedModels(deps.model, cell).map(({modelHash}) => modelHash);
      const told = {modelHashes: restrained};
      return change(request, peer, {kind: 'lift-restraint', cell, comment}, told);
    }),
    declareHost: unary((request, peer) => {
      const state = declarations.get(request.declaration);
      if (state === undefined) throw invalid('declaration', 'declaration is lost or returned');
      const part = checkedPart(request.part);
      const host = findRow(deps.model.hosts, request.name).name.slice('hosts/'.length);
      return change(request, peer, {kind: 'declare-host', host, state, ...part});
    }),
    getStatus: unary(() => toStatus(deps)),
  };
}

const modes = new Map(MODES.map(mode => [modeMessages[mode], mode] as const));

const declarations: ReadonlyMap<HostDeclaration, 'lost' | 'returned'> = new Map([
  [HostDeclaration.LOST, 'lost'],
  [HostDeclaration.RETURNED, 'returned'],
]);

function checkedPart(part: string): {part?: Component} {
  if (part === '') return {};
  const known = COMPONENTS.find(each => each === part);
  if (known !== undefined) return {part: known};
  const given = JSON.stringify(part.slice(0, 40));
  throw invalid('part', `part is ${given}; parts that fail are ${COMPONENTS.join(', ')}`);
}

function checkedText(field: string, text: string, max: number): string {
  if (text.length <= max) return text;
  throw invalid(field, `${field} has ${text.length} characters, at most ${max} are kept`);
}

function invalid(field: string, message: string): ForestayError {
  return new ForestayError('INVALID_ARGUMENT', message, {details: {field}});
}
