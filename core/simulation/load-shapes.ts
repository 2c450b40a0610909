import {readFileSync} from 'node:fs';

/** One recorded day of a server: four columns of 0 to 1, one row a minute. */
export type LoadShape = {
  name: string;
  cpu: Float32Array;
  memory: Float32Array;
  disk: Float32Array;
  network: Float32Array;
};

type Recorded = {
  rows: number;
  shapes: readonly Record<'name' | 'cpu' | 'memory' | 'disk' | 'network', string>[];
};

const recorded = JSON.parse(
  readFileSync(new URL('./data/load-shapes.json', import.meta.url), 'utf8'),
) as Recorded;

export const SHAPE_ROWS = recorded.rows;

/** Recorded loads (core/simulation/data/PROVENANCE.md) that VMs play back. */
export const LOAD_SHAPES: readonly LoadShape[] = recorded.shapes.map(shape => ({
  name: shape.name,
  cpu: decode(shape.cpu),
  memory: decode(shape.memory),
  disk: decode(shape.disk),
  network: decode(shape.network),
}));

function decode(base64: string): Float32Array {
  return Float32Array.from(Buffer.from(base64, 'base64'), byte => byte / 255);
}
