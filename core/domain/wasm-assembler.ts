/**
 * Just enough of an assembler for WebAssembly functions over vectors of four floats. A function is a
 * list of instructions; each is the list of its bytes.
 *
 * @see https://webassembly.github.io/spec/core/binary/index.html
 */

export type Code = readonly number[];

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const VALUE_TYPES = {i32: I32, f32: F32, v128: V128} as const;
export type ValueType = keyof typeof VALUE_TYPES;

export type WasmFunction = {
  /** Exported under this name, if it has one. */
  readonly name?: string;
  readonly params: readonly ValueType[];
  readonly locals: readonly ValueType[];
  readonly body: readonly Code[];
};

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (true) {
    const low = rest & 127;
    rest >>= 7;
    if ((rest === 0 && low < 64) || (rest === -1 && low >= 64)) return [...bytes, low];
    bytes.push(low + 128);
  }
}

const floatBytes = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];
const simd = (opcode: number, ...immediates: number[]): Code => [
  0xfd,
  ...unsigned(opcode),
  ...immediates,
];
/** Alignment is a hint: four bytes. */
const memory = (offset: number): number[] => [2, ...unsigned(offset)];

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number): Code => [0x21, ...unsigned(local)];
export const int = (value: number): Code => [0x41, ...signed(value)];
export const float = (value: number): Code => [0x43, ...floatBytes(value)];
export const call = (index: number): Code => [0x10, ...unsigned(index)];

export const iadd: Code = [0x6a];
export const isub: Code = [0x6b];
export const imul: Code = [0x6c];
export const isZero: Code = [0x45];
export const iequal: Code = [0x46];
export const iless: Code = [0x48];
export const iatLeast: Code = [0x4e];
export const toFloat: Code = [0xb2];
export const fadd: Code = [0x92];
export const fmul: Code = [0x94];
export const fdiv: Code = [0x95];
/** Of to, from, length. */
export const copyMemory: Code = [0xfc, 10, 0, 0];

/** Repeats while the condition at its end is true; the condition is left on the stack. */
export const repeatWhile = (...body: Code[]): Code => [0x03, 0x40, ...body.flat(), 0x0d, 0, 0x0b];
/** Takes the condition from the stack. */
export const when = (body: Code[], otherwise: Code[] = []): Code => [
  0x04,
  0x40,
  ...body.flat(),
  ...(otherwise.length === 0 ? [] : [0x05, ...otherwise.flat()]),
  0x0b,
];

export const iload = (offset = 0): Code => [0x28, ...memory(offset)];
export const vload = (offset = 0): Code => simd(0, ...memory(offset));
export const vstore = (offset = 0): Code => simd(11, ...memory(offset));
export const vstoreLane = (offset: number, lane: number): Code =>
  simd(0x5a, ...memory(offset), lane);
/** One float into the first lane, the others are 0; and into one lane, the others stay. */
export const vloadFirst = (offset: number): Code => simd(0x5c, ...memory(offset));
export const vloadLane = (offset: number, lane: number): Code =>
  simd(0x56, ...memory(offset), lane);
export const vconst = (value: number): Code => {
  const bytes = floatBytes(value);
  return simd(12, ...bytes, ...bytes, ...bytes, ...bytes);
};
export const vsplat: Code = simd(0x13);
export const vadd: Code = simd(0xe4);
export const vsub: Code = simd(0xe5);
export const vmul: Code = simd(0xe6);
export const vsqrt: Code = simd(0xe3);
export const vatMost: Code = simd(0x45);
/** The second where it is less than the first, else the first: a NaN there is passed over. */
export const vmin: Code = simd(0xea);
export const vmax: Code = simd(0xeb);
/** The first where the third says so, else the second. */
export const vselect: Code = simd(0x52);

const vector = (items: readonly Code[]): number[] => [...unsigned(items.length), ...items.flat()];
const sized = (bytes: Code): number[] => [...unsigned(bytes.length), ...bytes];
const section = (id: number, items: readonly Code[]): number[] => [id, ...sized(vector(items))];
const text = (name: string): number[] => sized([...new TextEncoder().encode(name)]);

/** A module of these functions, numbered in their order, with `memory` of `env` imported. */
export function assemble(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({params}) => [
    0x60,
    ...vector(params.map(type => [VALUE_TYPES[type]])),
    0,
  ]);
  const bodies = functions.map(({locals, body}) =>
    sized([...vector(locals.map(type => [1, VALUE_TYPES[type]])), ...body.flat(), 0x0b]),
  );
  const named = functions.flatMap(({name}, index) =>
    name === undefined ? [] : [[...text(name), 0, ...unsigned(index)]],
  );
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, [[...text('env'), ...text('memory'), 2, 0, 1]]),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(7, named),
    ...section(10, bodies),
  ]);
}

/** The part of the standard interface that is used here; the compiler's library leaves it to the DOM's. */
declare const WebAssembly: {
  Memory: new (size: {initial: number}) => WasmMemory;
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: {env: {memory: WasmMemory}}) => {exports: unknown};
};

const PAGE_BYTES = 65_536;

export type WasmMemory = {readonly buffer: ArrayBuffer; grow(pages: number): number};

export const createMemory = (): WasmMemory => new WebAssembly.Memory({initial: 1});

/** Makes the memory at least this large. Views of its former buffer are empty then. */
export function growMemory(of: WasmMemory, bytes: number): void {
  const missing = bytes - of.buffer.byteLength;
  if (missing > 0) of.grow(Math.ceil(missing / PAGE_BYTES));
}

export const compile = (module: Uint8Array<ArrayBuffer>): object => new WebAssembly.Module(module);

/** The exported functions of a compiled module. */
export const instantiate = (module: object, env: WasmMemory): unknown =>
  new WebAssembly.Instance(module, {env: {memory: env}}).exports;
