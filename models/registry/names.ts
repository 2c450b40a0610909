import {ForestayError} from '../../core/domain/errors.ts';
import {shortHash} from '../../core/domain/hash.ts';
import type {ReadAliases} from './alias-store.ts';
import type {Aliases} from './aliases.ts';
import {familyNamed} from './families.ts';

const PREFIX_LEAST = 4;
const ALIASES = ['champion', 'challenger', 'previous'] as const;

/**
 * The hash that is meant by the first digits of one (at least 4), or by `FAMILY@ALIAS`.
 *
 * @throws {ForestayError} `NOT_FOUND`, or `INVALID_ARGUMENT` if several are meant or it is no name.
 */
export function resolveName(
  text: string,
  hashes: readonly string[],
  read: (family: string) => ReadAliases,
): string {
  const [family = '', alias] = text.split('@');
  if (alias !== undefined) return resolveAlias(read(familyNamed(family).name).aliases, alias);
  if (!/^[0-9a-f]{4,64}$/.test(text)) {
    throw invalid(text, `give at least ${PREFIX_LEAST} digits of a hash, or FAMILY@champion`);
  }
  const found = hashes.filter(hash => hash.startsWith(text));
  if (found.length > 1) throw invalid(text, `it may be ${found.map(shortHash).join(' or ')}`);
  if (found[0] !== undefined) return found[0];
  throw new ForestayError(
    'NOT_FOUND',
    `no model in the registry begins with ${text}; see forestay models list`,
    {details: {name: text}},
  );
}

function resolveAlias(aliases: Aliases, text: string): string {
  const alias = ALIASES.find(each => each === text);
  if (alias === undefined) {
    throw invalid(`${aliases.family}@${text}`, `aliases are ${ALIASES.join(', ')}`);
  }
  const hash = aliases[alias];
  if (hash !== null) return hash;
  throw new ForestayError(
    'NOT_FOUND',
    `${aliases.family} has no ${alias}; see forestay models list`,
    {
      details: {family: aliases.family, alias},
    },
  );
}

function invalid(text: string, reason: string): ForestayError {
  return new ForestayError('INVALID_ARGUMENT', `${text} names no one model: ${reason}`, {
    details: {name: text},
  });
}
