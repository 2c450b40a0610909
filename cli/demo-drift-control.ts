/** What the demo asks of its core as anybody would: by gRPC. */
import type * as grpc from '@grpc/grpc-js';
import {Metadata} from '@grpc/grpc-js';
import {ControlService, HostDeclaration} from '../proto/gen/forestay/v1/control_pb.ts';
import {createClient, type UnaryCall} from '../proto/grpc.ts';
import type {Finding} from './demo-drift-staff.ts';

export type DemoControl = {
  /** Scores this share of the hosts, or all, by a model of the registry. */
  switchModel(change: {modelHash: string; percent: number; comment: string}): Promise<void>;
  /** Says of which part a host has failed. */
  declare(finding: Finding): Promise<void>;
  close(): void;
};

const CALL_MS = 60_000;

/** A client of the core at `address`; equal runs ask under equal ids. */
export function openControl(address: string): DemoControl {
  const client = createClient(ControlService, address);
  let requests = 0;
  const asked = (author: string) => ({author, requestId: `demo-${requests++}`});
  return {
    switchModel: change => call(client, client.switchModel, {...asked('keeper'), ...change}),
    declare: ({host, part, isBack}) =>
      call(client, client.declareHost, {
        ...asked('staff'),
        name: `hosts/${host}`,
        declaration: isBack ? HostDeclaration.RETURNED : HostDeclaration.LOST,
        part,
      }),
    close: () => client.close(),
  };
}

function call<Request>(
  client: grpc.Client,
  method: UnaryCall<Request, unknown>,
  request: Request,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = {deadline: Date.now() + CALL_MS};
    method.call(client, request, new Metadata(), options, error => {
      if (error) reject(error);
      else resolve();
    });
  });
}
