/**
 * The sums of count windows in WebAssembly, four metrics at once: where the time of a sample goes.
 * The memory holds a head (room for one row's merged sums and features, and for a run of samples
 * with what is to be done with each) and then the rows:
 *
 *   open: stride × metrics · newer: sums × metrics · closed: panes × sums × metrics
 *
 * of f32, metrics rounded up to vectors. Sums are mean, squared deviations, co-moment with the
 * sample number, minimum, maximum; merged as in Chan et al. 1983, "Algorithms for computing the
 * sample variance". Consecutive samples are one apart, so the middles of two neighbouring runs are
 * half their number apart.
 */
import * as w from './wasm-assembler.ts';

export const SUMS = 5;
export const KINDS = 6;
/** Samples that the kernel takes in one go, at most. */
export const RUN_MAX = 512;
/**
 * A step of a run, in i32: addresses of the line that the sample fills, of the sample's first metric
 * within its column, and of the row; the pane that it closes, and the newest pane if features are
 * wanted; -1: none.
 */
export const STEP_WORDS = 5;

export type PaneShape = {
  readonly metrics: number;
  readonly stride: number;
  /** Panes in a window. */
  readonly panes: number;
};

/** Where things are, in bytes. */
export type PaneLayout = {
  /** Of one value of every metric. */
  readonly line: number;
  readonly features: number;
  /** Of a run: its steps, its samples (a column of RUN_MAX a metric), features that are wanted. */
  readonly steps: number;
  readonly samples: number;
  readonly wanted: number;
  readonly rows: number;
  readonly row: number;
  /** Within a row. */
  readonly newer: number;
  readonly closed: number;
};

export function layoutOf({metrics, stride, panes}: PaneShape): PaneLayout {
  const line = 16 * Math.ceil(metrics / 4);
  const newer = stride * line;
  const closed = newer + SUMS * line;
  const steps = (SUMS + KINDS) * line;
  const samples = steps + 4 * STEP_WORDS * RUN_MAX;
  const wanted = samples + 4 * metrics * RUN_MAX;
  return {
    line,
    features: SUMS * line,
    steps,
    samples,
    wanted,
    // The kernel writes whole vectors: those of the last features reach behind them.
    rows: wanted + 4 * KINDS * metrics * RUN_MAX + KINDS * line,
    row: closed + panes * SUMS * line,
    newer,
    closed,
  };
}

export type PaneKernel = {
  /** Sums up the open pane of the row at an address, as its pane `slot`. */
  close(row: number, slot: number): void;
  /** Writes the features of the row whose newest pane is `slot` to an address. */
  features(row: number, slot: number, to: number): void;
  /** Takes the samples of a run whose steps are at these addresses; what is wanted is left in order. */
  take(steps: number, end: number): void;
};

const modules = new Map<string, object>();

export function createPaneKernel(shape: PaneShape, memory: w.WasmMemory): PaneKernel {
  const key = `${shape.metrics}/${shape.stride}/${shape.panes}`;
  const module = modules.get(key) ?? w.compile(paneModule(shape));
  modules.set(key, module);
  return w.instantiate(module, memory) as PaneKernel;
}

const MERGE = 0;
const CLOSE = 1;
const FEATURES = 2;

function paneModule(shape: PaneShape): Uint8Array<ArrayBuffer> {
  return w.assemble([
    mergeFunction(layoutOf(shape)),
    closeFunction(shape),
    featuresFunction(shape),
    takeFunction(shape),
  ]);
}

/** merge(a, b, aCount, bCount): sums at `a` with those of the samples after them, in place. */
function mergeFunction({line}: PaneLayout): w.WasmFunction {
  const [a, b, aCount, bCount, end, share, both, half, apart, mean] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
  ];
  const [squares, comoment, minimum, maximum] = [line, 2 * line, 3 * line, 4 * line];
  const product = [w.get(aCount), w.get(bCount), w.fmul];
  const total = [w.get(aCount), w.get(bCount), w.fadd];
  const addScaled = (at: number, ...scaled: w.Code[]) => [
    ...[w.get(a), w.get(a), w.vload(at), w.get(b), w.vload(at), w.vadd],
    ...[...scaled, w.vadd, w.vstore(at)],
  ];
  const pick = (at: number, choose: w.Code) => [
    ...[w.get(a), w.get(a), w.vload(at), w.get(b), w.vload(at), choose, w.vstore(at)],
  ];
  return {
    params: ['i32', 'i32', 'f32', 'f32'],
    locals: ['i32', 'v128', 'v128', 'v128', 'v128', 'v128'],
    body: [
      ...[w.get(bCount), ...total, w.fdiv, w.vsplat, w.set(share)],
      ...[...product, ...total, w.fdiv, w.vsplat, w.set(both)],
      ...[...product, w.float(0.5), w.fmul, w.vsplat, w.set(half)],
      ...[w.get(a), w.int(line), w.iadd, w.set(end)],
      w.repeatWhile(
        ...[w.get(a), w.vload(), w.set(mean)],
        ...[w.get(b), w.vload(), w.get(mean), w.vsub, w.set(apart)],
        ...[w.get(a), w.get(mean), w.get(apart), w.get(share), w.vmul, w.vadd, w.vstore()],
        ...addScaled(squares, w.get(apart), w.get(apart), w.vmul, w.get(both), w.vmul),
        ...addScaled(comoment, w.get(apart), w.get(half), w.vmul),
        ...pick(minimum, w.vmin),
        ...pick(maximum, w.vmax),
        ...advance(a, 16),
        ...advance(b, 16),
        ...[w.get(a), w.get(end), w.iless],
      ),
    ],
  };
}

const advance = (local: number, bytes: number): w.Code[] => [
  w.get(local),
  w.int(bytes),
  w.iadd,
  w.set(local),
];

function closeFunction(shape: PaneShape): w.WasmFunction {
  const {stride, panes} = shape;
  const {line, newer, closed} = layoutOf(shape);
  const paneBytes = SUMS * line;
  const [row, slot, pane, to, from, end, stop] = [0, 1, 2, 3, 4, 5, 6];
  const [sum, minimum, maximum, squares, comoment, time, value] = [7, 8, 9, 10, 11, 12, 13];
  const eachSample = (...body: w.Code[]) => [
    ...[w.get(end), w.int(stride * line), w.isub, w.set(from)],
    w.repeatWhile(
      ...[w.get(from), w.vload(), w.set(value)],
      ...body,
      ...advance(from, line),
      ...[w.get(from), w.get(end), w.iless],
    ),
  ];
  const fold = (into: number, operation: w.Code) => [
    ...[w.get(into), w.get(value), operation, w.set(into)],
  ];
  const storeSum = (index: number, local: number) => [
    ...[w.get(to), w.get(local), w.vstore(index * line)],
  ];
  const sumPane = [
    ...[w.vconst(0), w.set(sum), w.vconst(0), w.set(squares), w.vconst(0), w.set(comoment)],
    ...[w.vconst(Number.POSITIVE_INFINITY), w.set(minimum)],
    ...[w.vconst(Number.NEGATIVE_INFINITY), w.set(maximum)],
    ...eachSample(...fold(sum, w.vadd), ...fold(minimum, w.vmin), ...fold(maximum, w.vmax)),
    ...[w.get(sum), w.vconst(1 / stride), w.vmul, w.set(sum)],
    ...[w.vconst((1 - stride) / 2), w.set(time)],
    ...eachSample(
      ...[w.get(value), w.get(sum), w.vsub, w.set(value)],
      ...[w.get(squares), w.get(value), w.get(value), w.vmul, w.vadd, w.set(squares)],
      ...[w.get(comoment), w.get(time), w.get(value), w.vmul, w.vadd, w.set(comoment)],
      ...[w.get(time), w.vconst(1), w.vadd, w.set(time)],
    ),
    ...[sum, squares, comoment, minimum, maximum].flatMap((local, index) => storeSum(index, local)),
  ];
  const newerAt = [w.get(row), w.int(newer), w.iadd];
  return {
    name: 'close',
    params: ['i32', 'i32'],
    locals: [
      ...(['i32', 'i32', 'i32', 'i32', 'i32'] as const),
      ...(['v128', 'v128', 'v128', 'v128', 'v128', 'v128', 'v128'] as const),
    ],
    body: [
      ...[w.get(row), w.get(slot), w.int(paneBytes), w.imul, w.iadd, w.int(closed), w.iadd],
      w.set(pane),
      ...[w.get(pane), w.set(to)],
      ...[w.get(row), w.int(newer), w.iadd, w.set(end)],
      w.repeatWhile(
        ...sumPane,
        ...advance(to, 16),
        ...advance(end, 16),
        ...[w.get(to), w.get(pane), w.int(line), w.iadd, w.iless],
      ),
      ...[w.get(slot), w.isZero],
      w.when(
        [...newerAt, w.get(pane), w.int(paneBytes), w.copyMemory],
        [
          ...[...newerAt, w.get(pane), w.get(slot), w.toFloat, w.float(stride), w.fmul],
          ...[w.float(stride), w.call(MERGE)],
        ],
      ),
      ...[w.get(slot), w.int(panes - 1), w.iequal],
      w.when(panes === 1 ? [] : flip(shape, pane, stop)),
    ],
  };
}

/** All panes are newer ones: from here on they are the older, each with what followed it. */
function flip(shape: PaneShape, pane: number, followers: number): w.Code[] {
  const {stride, panes} = shape;
  const paneBytes = SUMS * layoutOf(shape).line;
  return [
    ...[w.int(1), w.set(followers)],
    w.repeatWhile(
      ...[w.get(pane), w.int(paneBytes), w.isub, w.set(pane)],
      ...[w.get(pane), w.get(pane), w.int(paneBytes), w.iadd, w.float(stride)],
      ...[w.get(followers), w.toFloat, w.float(stride), w.fmul, w.call(MERGE)],
      ...advance(followers, 1),
      ...[w.get(followers), w.int(panes), w.iless],
    ),
  ];
}

function featuresFunction(shape: PaneShape): w.WasmFunction {
  const {stride, panes} = shape;
  const {line, newer, closed} = layoutOf(shape);
  const paneBytes = SUMS * line;
  const samples = stride * panes;
  const [row, slot, to, from, last, minimum, maximum, there, value] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const newerAt = [w.get(row), w.int(newer), w.iadd];
  const merged = [
    ...[w.int(0), w.get(row), w.get(slot), w.int(1), w.iadd, w.int(paneBytes), w.imul, w.iadd],
    ...[w.int(closed), w.iadd, w.int(paneBytes), w.copyMemory],
    ...[w.int(0), ...newerAt, w.int(panes - 1), w.get(slot), w.isub, w.toFloat, w.float(stride)],
    ...[w.fmul, w.get(slot), w.int(1), w.iadd, w.toFloat, w.float(stride), w.fmul, w.call(MERGE)],
  ];
  const sumOf = (index: number) => [w.get(from), w.vload(index * line)];
  const known = (local: number) => [
    ...[w.get(local), w.vconst(Number.NaN), w.get(there), w.vselect],
  ];
  const kinds = [
    [w.get(last), w.vload()],
    sumOf(0),
    [...sumOf(1), w.vconst(1 / samples), w.vmul, w.vsqrt],
    known(minimum),
    known(maximum),
    [...sumOf(2), w.vconst(12 / (samples * (samples * samples - 1))), w.vmul],
  ];
  return {
    name: 'features',
    params: ['i32', 'i32', 'i32'],
    locals: ['i32', 'i32', 'v128', 'v128', 'v128', 'v128'],
    body: [
      ...[w.get(slot), w.int(panes - 1), w.iequal],
      w.when([w.int(0), ...newerAt, w.int(paneBytes), w.copyMemory], merged),
      ...[w.int(0), w.set(from)],
      ...[w.get(row), w.int((stride - 1) * line), w.iadd, w.set(last)],
      w.repeatWhile(
        ...[...sumOf(3), w.set(minimum), ...sumOf(4), w.set(maximum)],
        ...[w.get(minimum), w.get(maximum), w.vatMost, w.set(there)],
        ...kinds.flatMap((code, kind) => [
          ...[...code, w.set(value)],
          ...[0, 1, 2, 3].flatMap(lane => [
            ...[w.get(to), w.get(value), w.vstoreLane(4 * (lane * KINDS + kind), lane)],
          ]),
        ]),
        ...advance(from, 16),
        ...advance(last, 16),
        ...advance(to, 16 * KINDS),
        ...[w.get(from), w.int(line), w.iless],
      ),
    ],
  };
}

/** Each sample into its line; then its pane is closed and its features are written, if it says so. */
function takeFunction(shape: PaneShape): w.WasmFunction {
  const {metrics} = shape;
  const {line, samples, wanted} = layoutOf(shape);
  const [step, end, sample, slot, to, value] = [0, 1, 2, 3, 4, 5];
  const word = (index: number) => [w.get(step), w.iload(4 * index)];
  const loadLane = (metric: number) => {
    const at = samples + 4 * metric * RUN_MAX;
    const lane = metric % 4;
    if (lane === 0) return [w.get(sample), w.vloadFirst(at), w.set(value)];
    return [w.get(sample), w.get(value), w.vloadLane(at, lane), w.set(value)];
  };
  const fillLine = Array.from({length: line / 16}, (_, vector) => {
    const lanes = Math.min(4, metrics - 4 * vector);
    return [
      ...Array.from({length: lanes}, (_unused, lane) => loadLane(4 * vector + lane)).flat(),
      ...[...word(0), w.get(value), w.vstore(16 * vector)],
    ];
  }).flat();
  const ifThere = (index: number, ...body: w.Code[]) => [
    ...[...word(index), w.set(slot), w.get(slot), w.int(0), w.iatLeast],
    w.when(body),
  ];
  return {
    name: 'take',
    params: ['i32', 'i32'],
    locals: ['i32', 'i32', 'i32', 'v128'],
    body: [
      ...[w.int(wanted), w.set(to)],
      w.repeatWhile(
        ...[...word(1), w.set(sample)],
        ...fillLine,
        ...ifThere(3, ...word(2), w.get(slot), w.call(CLOSE)),
        ...ifThere(
          4,
          ...[...word(2), w.get(slot), w.get(to), w.call(FEATURES)],
          ...advance(to, 4 * KINDS * metrics),
        ),
        ...advance(step, 4 * STEP_WORDS),
        ...[w.get(step), w.get(end), w.iless],
      ),
    ],
  };
}
