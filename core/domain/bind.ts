import {type Address, isLoopback, parseAddress} from './address.ts';
import {ForestayError} from './errors.ts';

/**
 * The address to bind, if that is allowed: nobody is authenticated, so only this machine may reach
 * it unless `insecure`.
 *
 * @throws {ForestayError} `CONFIG_INVALID` if it is no address, `BIND_REFUSED` if others reach it.
 */
export function checkBind(what: string, listen: string, insecure: boolean): Address {
  const address = parseAddress(listen);
  if (address === undefined) {
    throw new ForestayError(
      'CONFIG_INVALID',
      `cannot bind ${what} to "${listen}": expected HOST:PORT, for instance 127.0.0.1:7071`,
      {details: {listen}},
    );
  }
  if (insecure || isLoopback(address.host)) return address;
  throw new ForestayError(
    'BIND_REFUSED',
    `cannot bind ${what} to ${listen}: only this machine may reach it, as nobody is authenticated; bind 127.0.0.1, or add --insecure if the network is yours`,
    {details: {listen}},
  );
}

/** What a failed bind means to a person: `PORT_IN_USE`, or `BIND_REFUSED` by the system. */
export function bindFailure(what: string, listen: string, error: unknown): ForestayError {
  const text = String((error as Error).message);
  const inUse = text.includes('EADDRINUSE');
  const advice = inUse
    ? 'another program has the port; stop it, or choose another port (0 takes a free one)'
    : 'the address is not one of this machine, or the port needs a privilege';
  return new ForestayError(
    inUse ? 'PORT_IN_USE' : 'BIND_REFUSED',
    `cannot bind ${what} to ${listen}: ${advice}`,
    {details: {listen}, cause: error},
  );
}
