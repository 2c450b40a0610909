import type {ExecutionContext} from 'ava';
import {missingTool} from './jars.ts';
import {type Service, type ServiceName, serviceVariable, startService} from './start.ts';

const own = new Map<ServiceName, Promise<Service>>();

/**
 * The address of a real service for this test, or nothing: then the test has said so loudly and
 * returns. Under CI=true a service that cannot be run is a failure.
 *
 *     const brokers = await needService(t, 'kafka');
 *     if (brokers === undefined) return;
 *
 * The run's shared service is used if there is one (see start.ts). Otherwise one is started for
 * this test file if CI=true or FORESTAY_TEST_SERVICES=1 asks for it; it ends with the process.
 */
export async function needService(
  t: ExecutionContext,
  name: ServiceName,
): Promise<string | undefined> {
  const shared = process.env[serviceVariable[name]];
  if (shared) return shared;
  if (!mayStartService(t, name)) return undefined;
  t.timeout(12 * 60_000, `starting ${name}`);
  const started = own.get(name) ?? startService(name);
  own.set(name, started);
  return (await started).address;
}

/** Whether this test may start a service of its own, to stop it half way; if not, it has said so. */
export function mayStartService(t: ExecutionContext, name: ServiceName): boolean {
  const required = process.env.CI === 'true';
  if (!required && process.env.FORESTAY_TEST_SERVICES !== '1') {
    t.log(`NOT RUN: needs a real ${name}; set FORESTAY_TEST_SERVICES=1 (Java 17 and Maven)`);
    t.pass();
    return false;
  }
  const missing = missingTool(name);
  if (missing === undefined) return true;
  t.log(`NOT RUN: ${missing}`);
  if (required) t.fail(`under CI=true ${name} must run`);
  else t.pass();
  return false;
}
