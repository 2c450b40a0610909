import {within} from '../domain/concurrency.ts';
import type {InboxRecord} from '../domain/records.ts';
import type {Clock, Codec, LogRecord, ModelSignature} from '../ports.ts';
import {readable} from './log-decoding.ts';
import type {KnownModels} from './model-switch.ts';
import type {ServedModels} from './served-models.ts';

/**
 * Opens the models that commands name before a tick takes them: a tick waits for nothing, and the
 * rest of the inbox keeps its order behind a command that waits for its model.
 */
export class ModelCommands {
  readonly #models: Pick<ServedModels, 'open'>;
  readonly #clock: Clock;
  readonly #codec: Codec;
  readonly #waitMs: number;
  /** Those that were asked for; undefined while they are being opened. */
  readonly #asked = new Map<string, ModelSignature | string | undefined>();

  /** @param waitMs How long a step waits for a model; then it goes on without the command. */
  constructor(
    models: Pick<ServedModels, 'open'>,
    {clock, codec, scoring}: {clock: Clock; codec: Codec; scoring: {waitMs: number}},
  ) {
    this.#models = models;
    this.#clock = clock;
    this.#codec = codec;
    this.#waitMs = scoring.waitMs;
  }

  /** The inbox up to a command whose model is still being opened, and the models named until then. */
  async upToOpen(
    inbox: readonly LogRecord[],
  ): Promise<{inbox: readonly LogRecord[]; models: KnownModels}> {
    const models = new Map<string, ModelSignature | string>();
    for (const [index, record] of inbox.entries()) {
      const [command] = readable([record], bytes => this.#codec.decodeInbox(bytes));
      if (command === undefined || !isTrial(command)) continue;
      const answer = await this.#ask(command.modelHash);
      if (answer === undefined) return {inbox: inbox.slice(0, index), models};
      models.set(command.modelHash, answer);
    }
    // What failed is tried again when it is asked for again.
    for (const hash of models.keys()) this.#asked.delete(hash);
    return {inbox, models};
  }

  async #ask(hash: string): Promise<ModelSignature | string | undefined> {
    if (!this.#asked.has(hash)) {
      this.#asked.set(hash, undefined);
      const opening = this.#models.open(hash).then(answer => this.#asked.set(hash, answer));
      await within(this.#clock, this.#waitMs, opening);
    }
    return this.#asked.get(hash);
  }
}

function isTrial(command: InboxRecord): command is Extract<InboxRecord, {kind: 'switch-model'}> {
  return command.kind === 'switch-model' && command.percent > 0;
}
