/**
 * Cuts the recorded load shapes of the simulated datacenter out of the ASD and SMD recordings.
 *
 * Usage: node scripts/cut-load-shapes.mjs DATA_DIR
 *
 * DATA_DIR holds the folders `asd` and `smd` (gzipped CSV, one row a sample). Each shape is one day
 * of rows and four columns, scaled by its own 1st and 99th percentile to one byte a value. Equal
 * input gives equal bytes.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';

const ROWS = 1440;
const COLUMNS = {
  smd: {cpu: 'cpu_r', memory: 'mem_u', disk: 'disk_wa', network: 'eth1_fi'},
  // ASD does not name its metrics: m1 is slow, like memory; the others move like load.
  asd: {cpu: 'm6', memory: 'm1', disk: 'm12', network: 'm8'},
};
const CUTS = [
  ...['machine-1-6', 'machine-2-1', 'machine-3-3'].flatMap(name =>
    [1440, 11_520].map(from => ({set: 'smd', name, from})),
  ),
  ...[1, 2, 3, 4, 5, 6].map(server => ({set: 'asd', name: `omi-${server}`, from: server * 1000})),
];

const dataDir = process.argv[2];
if (dataDir === undefined) {
  console.error('usage: node scripts/cut-load-shapes.mjs DATA_DIR');
  process.exit(2);
}

const shapes = CUTS.map(({set, name, from}) => {
  const csv = gunzipSync(readFileSync(join(dataDir, set, `${name}_train.csv.gz`))).toString();
  const [header, ...lines] = csv.trimEnd().split('\n');
  const names = header.trim().split(',');
  const rows = lines.slice(from, from + ROWS).map(line => line.split(','));
  const columns = Object.entries(COLUMNS[set]).map(([column, source]) => {
    const index = names.indexOf(source);
    if (index < 0) throw new Error(`${set}/${name} has no column ${source}`);
    return [column, scaleToBytes(rows.map(row => Number(row[index]))).toString('base64')];
  });
  return {name: `${set} ${name} rows ${from}-${from + ROWS - 1}`, ...Object.fromEntries(columns)};
});

const into = join(import.meta.dirname, '../core/simulation/data/load-shapes.json');
writeFileSync(into, `${JSON.stringify({rows: ROWS, shapes}, null, 2)}\n`);

function scaleToBytes(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[Math.floor(sorted.length * 0.01)];
  const high = sorted[Math.floor(sorted.length * 0.99)];
  const range = high > low ? high - low : 1;
  return Buffer.from(
    values.map(value => Math.round(255 * Math.min(1, Math.max(0, (value - low) / range)))),
  );
}
