import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {openSegmentLog} from '../../core/adapters/log-segments.ts';
import {logContract} from '../contracts/log.ts';

const directory = mkdtempSync(join(tmpdir(), 'forestay-segments-'));
test.after.always(() => rmSync(directory, {recursive: true}));

const options = {files: nodeFiles, clock: systemClock};

logContract(test, 'segments, cached', async () =>
  openSegmentLog({...options, directory: join(directory, 'cached')}),
);
logContract(test, 'segments, from disk', async () =>
  openSegmentLog({
    ...options,
    directory: join(directory, 'disk'),
    cacheBytes: 0,
    segmentBytes: 700,
    groupMs: 0,
    sync: 'none',
  }),
);
