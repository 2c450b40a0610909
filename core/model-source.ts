/** Models of the registry in the data folder, for a core that starts and for commands that switch. */
import {ForestayError, formatError, isForestayError} from './domain/errors.ts';
import type {ModelSource, Scorer} from './ports.ts';

/** The part of a registry of models that a core reads. */
type Models = {
  aliases(family: string): {aliases: {champion: string | null; previous: string | null}};
  /** Checks signature and hashes. */
  read(hash: string): {family: string};
  folderOf(hash: string): string;
};

type Open = (modelPath: string) => Promise<Scorer>;

/** Opens entries of one family. Errors: `MODEL_SIGNATURE_MISMATCH`, those of reading and opening. */
export function modelsOfRegistry(registry: Models, family: string, open: Open): ModelSource {
  return {
    async open(hash) {
      const entry = registry.read(hash);
      if (entry.family === family) return await open(registry.folderOf(hash));
      throw new ForestayError(
        'MODEL_SIGNATURE_MISMATCH',
        `cannot serve model ${hash}: it is of family ${entry.family}, hosts are scored by ` +
          `${family}; name one of these, see forestay models list`,
        {details: {hash, family: entry.family}},
      );
    },
  };
}

/**
 * The champion; if it is not to be trusted any more, the one before; without either, or if nobody was
 * ever promoted, the configured model. Errors: those of opening the configured model.
 */
export async function openChampion(
  registry: Models,
  family: string,
  open: Open,
  configuredPath: string,
  onProblem: (message: string) => void,
): Promise<Scorer> {
  const {champion, previous} = registry.aliases(family).aliases;
  const models = modelsOfRegistry(registry, family, open);
  for (const hash of [champion, previous]) {
    if (hash === null) continue;
    try {
      return await models.open(hash);
    } catch (error) {
      if (!isForestayError(error)) throw error;
      const instead =
        hash === champion && previous !== null ? 'the one before' : 'the configured model';
      onProblem(`${family}: ${instead} is served, as this one cannot be: ${formatError(error)}`);
    }
  }
  return open(configuredPath);
}
