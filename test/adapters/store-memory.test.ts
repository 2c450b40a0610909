import test from 'ava';
import {createMemoryStore} from '../../core/adapters/store-memory.ts';
import {storeContract} from '../contracts/store.ts';

storeContract(test, async () => ({
  open: async () => createMemoryStore(),
  settle: async () => {},
  table: name => name,
  durable: false,
}));
