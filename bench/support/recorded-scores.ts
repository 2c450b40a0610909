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

const ROWS_A_CALL = 1024;

export function createRecordedScores(): RecordedScores {
  let areTicksKept = false;
  /** What a model says; what agents say stands behind it. */
  let outputs = 0;
  /** Rows by the bits of their risks; two models may give one row the same ones. */
  const rows = new Map<string, Float32Array[]>();
  const applied: {bits: string; hash: string}[] = [];
  return {
    watch(scorer) {
      outputs = scorer.signature().components.length;
      return {
        signature: () => scorer.signature(),
        explain: (...request) => scorer.explain(...request),
        close: () => scorer.close(),
        async score(hash, count, features) {
          const sent = features.slice();
          const risks = await scorer.score(hash, count, features);
          keepRows(rows, count, sent, risks);
          return risks;
        },
      };
    },
    tick({risks, modelHash}) {
      if (!areTicksKept) return;
      for (const each of risks) {
        applied.push({bits: bitsOf(each.risks.subarray(0, outputs)), hash: modelHash});
      }
    },
    keepTicks: () => {
      areTicksKept = true;
    },
    check(folderOf) {
      areTicksKept = false;
      return checkAll(rows, applied, folderOf);
    },
  };
}

function keepRows(
  rows: Map<string, Float32Array[]>,
  count: number,
  features: Float32Array,
  risks: Float32Array,
): void {
  const [width, outputs] = [features.length / count, risks.length / count];
  for (let row = 0; row < count; row++) {
    const bits = bitsOf(risks.subarray(row * outputs, (row + 1) * outputs));
    const own = features.subarray(row * width, (row + 1) * width);
    const known = rows.get(bits);
    if (known === undefined) rows.set(bits, [own]);
    else known.push(own);
  }
}

async function checkAll(
  rows: ReadonlyMap<string, readonly Float32Array[]>,
  applied: readonly {bits: string; hash: string}[],
  folderOf: (hash: string) => string,
): Promise<Checked> {
  const given = new Map<string, Set<string>>();
  for (const hash of new Set(applied.map(each => each.hash))) {
    given.set(hash, await givenBy(folderOf(hash), rows));
  }
  const gives = (hash: string, bits: string) => given.get(hash)?.has(bits) === true;
  const others = [...given.keys()];
  return {
    risks: applied.length,
    wrong: applied.filter(({bits, hash}) => !gives(hash, bits)).length,
    alike: applied.filter(({bits, hash}) => others.some(each => each !== hash && gives(each, bits)))
      .length,
  };
}

/** The bits of risks that were given and that this model gives for the same row. */
async function givenBy(
  folder: string,
  rows: ReadonlyMap<string, readonly Float32Array[]>,
): Promise<Set<string>> {
  const session = await openSession(folder);
  const {featureCount, components} = session.model.signature;
  const all = [...rows].flatMap(([bits, sent]) =>
    sent.filter(({length}) => length === featureCount).map(features => ({bits, features})),
  );
  const found = new Set<string>();
  try {
    for (let from = 0; from < all.length; from += ROWS_A_CALL) {
      const part = all.slice(from, from + ROWS_A_CALL);
      const features = new Float32Array(part.length * featureCount);
      part.forEach((each, row) => {
        features.set(each.features, row * featureCount);
      });
      const risks = new Float32Array(part.length * components.length);
      await session.run(part.length, features, risks);
      part.forEach(({bits}, row) => {
        const own = risks.subarray(row * components.length, (row + 1) * components.length);
        if (bitsOf(own) === bits) found.add(bits);
      });
    }
  } finally {
    await session.release();
  }
  return found;
}

function bitsOf(risks: Float32Array): string {
  return Buffer.from(risks.buffer, risks.byteOffset, risks.byteLength).toString('latin1');
}
