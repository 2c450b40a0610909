/**
 * Every row that a scorer was sent, with the risks that it gave, to find the row that a risk in the
 * journal came of and score it anew, by a session of its own.
 */
import type {Tick} from '../../core/domain/records.ts';
import type {Scorer} from '../../core/ports.ts';
import {openSession} from '../../models/session.ts';

export type RecordedScores = {
  /** Scores as before, and keeps what it scored. */
  watch(scorer: Scorer): Scorer;
  /** Keeps the risks that a tick applied, and the model that its hosts have. */
  tick(tick: Tick): void;
  /** Ticks from now on; rows are kept from the beginning, as answers may take their time. */
  keepTicks(): void;
  /** Scores all that was kept anew, by the model that each host had then. */
  check(folderOf: (hash: string) => string): Promise<Checked>;
};

export type Checked = {
  /** Risks in the journal. */
  risks: number;
  /** Those that the model of their host does not give for any row that was sent. */
  wrong: number;
  /** Those that any other of the models would have given as well: of these it is not known. */
  alike: number;
};

/** As sent: taken apart only when they are checked, so that keeping them costs next to nothing. */
type Answer = {
  readonly count: number;
  readonly features: Float32Array;
  readonly risks: Float32Array;
};
type Applied = {readonly risks: Float32Array; readonly hash: string};

export function createRecordedScores(): RecordedScores {
  let areTicksKept = false;
  const answers: Answer[] = [];
  const applied: Applied[] = [];
  return {
    watch: scorer => ({
      signature: () => scorer.signature(),
      explain: (...request) => scorer.explain(...request),
      close: () => scorer.close(),
      async score(hash, count, features) {
        const risks = await scorer.score(hash, count, features);
        answers.push({count, features, risks});
        return risks;
      },
    }),
    tick({risks, modelHash}) {
      if (!areTicksKept) return;
      for (const each of risks) applied.push({risks: each.risks, hash: modelHash});
    },
    keepTicks: () => {
      areTicksKept = true;
    },
    check(folderOf) {
      areTicksKept = false;
      return checkAll(answers, applied, folderOf);
    },
  };
}

async function checkAll(
  answers: readonly Answer[],
  applied: readonly Applied[],
  folderOf: (hash: string) => string,
): Promise<Checked> {
  const given = new Map<string, Set<string>>();
  for (const hash of new Set(applied.map(each => each.hash))) {
    given.set(hash, await givenBy(folderOf(hash), answers));
  }
  // What agents say stands behind what a model says.
  const outputs = (answers[0]?.risks.length ?? 0) / (answers[0]?.count ?? 1);
  const found = applied.map(({risks, hash}) => {
    const bits = bitsOf(risks.subarray(0, outputs));
    const models = [...given].filter(([, gives]) => gives.has(bits)).map(([model]) => model);
    return {isRight: models.includes(hash), isAlike: models.some(model => model !== hash)};
  });
  return {
    risks: found.length,
    wrong: found.filter(({isRight}) => !isRight).length,
    alike: found.filter(({isAlike}) => isAlike).length,
  };
}

/** The bits of what this model gives for the rows that were sent, where it was given. */
async function givenBy(folder: string, answers: readonly Answer[]): Promise<Set<string>> {
  const session = await openSession(folder);
  const {featureCount, components} = session.model.signature;
  const found = new Set<string>();
  try {
    for (const {count, features, risks} of answers) {
      if (features.length !== count * featureCount) continue;
      const again = new Float32Array(risks.length);
      await session.run(count, features, again);
      for (let row = 0; row < count; row++) {
        const [from, to] = [row * components.length, (row + 1) * components.length];
        const bits = bitsOf(again.subarray(from, to));
        if (bits === bitsOf(risks.subarray(from, to))) found.add(bits);
      }
    }
  } finally {
    await session.release();
  }
  return found;
}

function bitsOf(risks: Float32Array): string {
  return Buffer.from(risks.buffer, risks.byteOffset, risks.byteLength).toString('latin1');
}
