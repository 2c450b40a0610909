import test from 'ava';
import {createCellLabels, OTHER_CELLS} from '../../core/api/cell-labels.ts';

test('the first cells keep their names, whatever comes after them shares one', t => {
  const labelOf = createCellLabels(2);
  t.deepEqual(['a', 'b', 'c', 'a', 'd', 'b'].map(labelOf), [
    'a',
    'b',
    OTHER_CELLS,
    'a',
    OTHER_CELLS,
    'b',
  ]);
});
