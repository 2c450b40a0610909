import test from 'ava';
import {createNames} from '../../proto/codec-names.ts';
import {NotPlain, WireCursor} from '../../proto/wire-cursor.ts';
import fc from '../support/fast-check.ts';

/** A length-delimited field without its tag. */
function field(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const length =
    bytes.length < 128 ? [bytes.length] : [128 | (bytes.length & 127), bytes.length >> 7];
  return Uint8Array.from([...length, ...bytes]);
}

test('names are read as they are, however often and in whatever order', t => {
  const name = fc.oneof(
    fc.string({unit: 'binary-ascii', maxLength: 100}),
    // Few of them: most come again.
    fc.constantFrom('sda', 'sdb', 'nvme0n1', 'coretemp/Package id 0', ''),
  );
  const names = createNames();
  fc.assert(
    fc.property(fc.array(name, {maxLength: 40}), list => {
      for (const text of list) {
        const cursor = new WireCursor(field(text));
        t.is(names.read(cursor), text);
        t.true(cursor.isAtEnd());
      }
    }),
  );
});

test('names that share a place do not become each other', t => {
  const names = createNames();
  // More than there are places: most take another's.
  const all = Array.from({length: 20_000}, (_, index) => `disk${index}`);
  for (const name of [...all, ...all]) t.is(names.read(new WireCursor(field(name))), name);
});

test('what is cut off or beyond ASCII is left to the general reader, also after a name like it', t => {
  const names = createNames();
  names.read(new WireCursor(field('sda')));
  const cut = new WireCursor(field('sda').subarray(0, 3));
  t.is(
    t.throws(() => names.read(cut)),
    NotPlain,
  );
  for (const text of ['sdä', 'ä'.repeat(60)]) {
    t.is(
      t.throws(() => names.read(new WireCursor(field(text)))),
      NotPlain,
    );
  }
  t.is(names.read(new WireCursor(field('sda'))), 'sda');
});
