import test from 'ava';
import {formatTable} from '../../cli/table.ts';
import {harmlessName, harmlessText} from '../../cli/terminal.ts';

test('a control character in a name is shown and does nothing', t => {
  t.is(harmlessName('h1\u001b[2J\nh2\r\u009b'), 'h1\\x1b[2J\\x0ah2\\x0d\\x9b');
  t.is(harmlessName('hôte-🔥'), 'hôte-🔥');
});

test('line feeds and colours of a text of ours pass, what moves the cursor does not', t => {
  t.is(
    harmlessText('\u001b[33mat-risk\u001b[39m\nb\u001b[2J'),
    '\u001b[33mat-risk\u001b[39m\nb\\x1b[2J',
  );
});

test('a row of a table is one line, whatever the names in it', t => {
  const table = formatTable([{title: 'HOST', cell: (name: string) => name}], ['a\nlost', 'b']);
  t.is(table.split('\n').length, 3);
});
