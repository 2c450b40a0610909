import {type DescMessage, type JsonValue, type MessageShape, toJson} from '@bufbuild/protobuf';
import {type Command, Option} from 'commander';
import {type Column, formatTable} from './table.ts';
import {harmlessText} from './terminal.ts';

export const formats = ['table', 'wide', 'json', 'ndjson', 'yaml', 'name'] as const;
export type Format = (typeof formats)[number];

/** Adds `-o` and `--json`. What is printed goes to stdout, and nothing else does. */
export function addOutputOption(
  command: Command,
  choices: readonly Format[] = formats,
  preset: Format = 'table',
): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'how to print').choices(choices).default(preset))
    .addOption(new Option('--json', 'the same as --output json').implies({output: 'json'}));
}

export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** The message as JSON: every field there, times as RFC 3339. */
export function toRecord<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
): JsonValue {
  return toJson(schema, message, {alwaysEmitImplicit: true});
}

/** One value as it is asked for; `human` makes the text for people. */
export async function printValue(
  format: Format,
  value: JsonValue,
  human: () => string,
): Promise<void> {
  if (format === 'json') print(JSON.stringify(value, null, 2));
  else if (format === 'ndjson') print(JSON.stringify(value));
  else if (format === 'yaml') print((await import('yaml')).stringify(value));
  else print(harmlessText(human()));
}

/** How a list of messages is printed. */
export type Listing<Schema extends DescMessage> = {
  schema: Schema;
  /** Key of the list in JSON: `hosts`. */
  key: string;
  columns: readonly Column<MessageShape<Schema>>[];
};

export async function printList<Schema extends DescMessage>(
  format: Format,
  {schema, key, columns}: Listing<Schema>,
  items: readonly MessageShape<Schema>[],
): Promise<void> {
  if (format === 'name') {
    for (const item of items) print((item as unknown as {name: string}).name);
  } else if (format === 'ndjson') {
    for (const item of items) print(JSON.stringify(toRecord(schema, item)));
  } else {
    const records = items.map(item => toRecord(schema, item));
    await printValue(format, {[key]: records}, () => tableOf(format, columns, items));
  }
}

export async function printItem<Schema extends DescMessage>(
  format: Format,
  {schema, columns}: Listing<Schema>,
  item: MessageShape<Schema>,
): Promise<void> {
  if (format === 'name') print((item as unknown as {name: string}).name);
  else await printValue(format, toRecord(schema, item), () => tableOf(format, columns, [item]));
}

function tableOf<Item>(
  format: Format,
  columns: readonly Column<Item>[],
  items: readonly Item[],
): string {
  return formatTable(
    columns.filter(column => format === 'wide' || !column.wide),
    items,
  );
}
