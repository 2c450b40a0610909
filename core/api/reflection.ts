import {type DescFile, type DescService, toBinary} from '@bufbuild/protobuf';
import {FileDescriptorProtoSchema} from '@bufbuild/protobuf/wkt';
import type * as grpc from '@grpc/grpc-js';
import {ReflectionService} from '@grpc/reflection';

/** Lets any gRPC client ask which services there are (v1 and v1alpha). */
export function addReflection(server: grpc.Server, services: readonly DescService[]): void {
  const files = new Map<string, Uint8Array>();
  const add = (file: DescFile): void => {
    const {name} = file.proto;
    if (files.has(name)) return;
    for (const dependency of file.dependencies) add(dependency);
    files.set(name, toBinary(FileDescriptorProtoSchema, file.proto));
  };
  for (const service of services) add(service.file);
  // One level of nesting, no more: deeper ones are served as nothing at all, without an error.
  const definition = {forestay: {fileDescriptorProtos: [...files.values()].map(Buffer.from)}};
  type Definition = ConstructorParameters<typeof ReflectionService>[0];
  new ReflectionService(definition as unknown as Definition).addToServer(server);
}
