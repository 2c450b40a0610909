import {runTable} from './table.ts';
import {vmTable} from './vm-table.ts';

runTable(vmTable);
