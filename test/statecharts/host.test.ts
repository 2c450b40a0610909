import {hostTable} from './host-table.ts';
import {runTable} from './table.ts';

runTable(hostTable);
