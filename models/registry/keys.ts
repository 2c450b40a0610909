import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
  verify,
} from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {ForestayError} from '../../core/domain/errors.ts';

/** Who vouched for some bytes. */
export type Signature = {
  /** First 16 digits of the SHA-256 of the public key. */
  readonly keyId: string;
  /** Ed25519, base64. */
  readonly signature: string;
};

/**
 * Keys of a registry: one private key, made at first use and readable by its owner alone, and the
 * public keys in `keys/trusted/`, one PEM file each, whose signatures count. Who may write to the
 * folder may also sign: a signature keeps out what was damaged or put there by mistake, and says
 * which registry an entry comes from.
 */
export type Keys = {
  sign(bytes: Uint8Array): Signature;
  /** @throws {ForestayError} `MODEL_UNTRUSTED`; `subject` names what was signed. */
  require(subject: string, bytes: Uint8Array, signature: Signature): void;
};

/** @param directory Of the registry; nothing is written before the first signature. */
export function openKeys(directory: string): Keys {
  const folder = join(directory, 'keys');
  const trusted = join(folder, 'trusted');
  return {
    sign(bytes) {
      const key = ownKey(folder, trusted);
      return {
        keyId: idOf(createPublicKey(key)),
        signature: sign(null, bytes, key).toString('base64'),
      };
    },
    require(subject, bytes, {keyId, signature}) {
      const key = trustedKeys(trusted).get(keyId);
      if (key === undefined) {
        throw untrusted(
          subject,
          `it is signed by key ${keyId}, which is not in ${trusted}; put that public key there if ` +
            'you trust who signed',
        );
      }
      if (verify(null, bytes, key, Buffer.from(String(signature), 'base64'))) return;
      throw untrusted(subject, 'its signature is not one of what lies there; add the model again');
    },
  };
}

function ownKey(folder: string, trusted: string): KeyObject {
  const path = join(folder, 'private.pem');
  mkdirSync(trusted, {recursive: true, mode: 0o700});
  if (!existsSync(path)) {
    const {privateKey} = generateKeyPairSync('ed25519');
    // Of two that begin at once one makes the key, and both use it.
    createOnce(path, privateKey.export({type: 'pkcs8', format: 'pem'}), 0o600);
  }
  const key = createPrivateKey(readFileSync(path, 'utf8'));
  const own = createPublicKey(key);
  const publicPath = join(trusted, `${idOf(own)}.pem`);
  // Whoever made the key may have died before this.
  if (!existsSync(publicPath)) createOnce(publicPath, pemOf(own), 0o644);
  return key;
}

function trustedKeys(folder: string): Map<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  let names: string[] = [];
  try {
    names = readdirSync(folder).filter(name => name.endsWith('.pem'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  for (const name of names) {
    try {
      const key = createPublicKey(readFileSync(join(folder, name), 'utf8'));
      if (key.asymmetricKeyType === 'ed25519') keys.set(idOf(key), key);
    } catch {
      // What is no key vouches for nothing; entries signed by it are told as untrusted.
    }
  }
  return keys;
}

function createOnce(path: string, text: string | Buffer, mode: number): void {
  const temporary = `${path}.${randomUUID()}.new`;
  const file = openSync(temporary, 'wx', mode);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(temporary);
  }
}

function idOf(key: KeyObject): string {
  const der = key.export({type: 'spki', format: 'der'});
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}

function pemOf(key: KeyObject): string | Buffer {
  return key.export({type: 'spki', format: 'pem'});
}

function untrusted(subject: string, reason: string): ForestayError {
  return new ForestayError('MODEL_UNTRUSTED', `cannot trust ${subject}: ${reason}`, {
    details: {subject},
  });
}
