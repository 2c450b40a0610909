import type {DescMessage, JsonValue, MessageShape} from '@bufbuild/protobuf';
import type * as grpc from '@grpc/grpc-js';
import {type Command, Option} from 'commander';
import {addClientOptions, type ClientOptions, type Connection, withCore} from './client.ts';
import {wholeNumber} from './numbers.ts';
import {
  addOutputOption,
  type Format,
  type Listing,
  print,
  printItem,
  printList,
  toRecord,
} from './output.ts';
import {harmlessName} from './terminal.ts';

/** A kind of thing that can be listed, shown and watched. */
export type Resource<Schema extends DescMessage> = {
  /** `hosts` */
  plural: string;
  /** `host` */
  singular: string;
  /** What `list --sort` can go by besides the name, the highest first; undefined: not known. */
  orders?: Readonly<Record<string, (item: MessageShape<Schema>) => number | undefined>>;
  load(): Promise<{
    listing: Listing<Schema>;
    get(core: Connection, name: string): Promise<MessageShape<Schema>>;
    list(core: Connection, page: PageRequest): Promise<Page<MessageShape<Schema>>>;
    watch?(core: Connection, filter: string): grpc.ClientReadableStream<WatchResponse>;
  }>;
};

type PageRequest = {pageSize: number; pageToken: string; filter: string};
type Page<Item> = {items: readonly Item[]; nextPageToken: string};
/** What the watches of all kinds have in common. */
export type WatchResponse = {event: {case?: string | undefined; value?: unknown}};

type ShownOptions = ClientOptions & {output: Format};
type ListOptions = ShownOptions & {filter: string; limit?: number; sort?: string};

const PAGE_SIZE = 500;

/** `h01` → `hosts/h01`; a whole resource name stays. */
export function resourceName(plural: string, name: string): string {
  return name.startsWith(`${plural}/`) ? name : `${plural}/${name}`;
}

/** Adds `list`, `get` and, where there is one, `watch` to the command of a resource. */
export function addResourceVerbs<Schema extends DescMessage>(
  command: Command,
  resource: Resource<Schema>,
): void {
  const {plural, singular} = resource;
  const list = command
    .command('list')
    .description(`list ${plural}`)
    .option('--filter <filter>', 'FIELD OP VALUE terms joined by AND, e.g. "risk >= 0.5"', '')
    .option('--limit <count>', 'at most this many', wholeNumber(1))
    .action((options: ListOptions) => withCore(options, core => listAll(core, resource, options)));
  const {orders} = resource;
  if (orders !== undefined) {
    const option = new Option('--sort <by>', 'by name, or the highest first');
    list.addOption(option.choices(['name', ...Object.keys(orders)]).default('name'));
  }
  addClientOptions(addOutputOption(list));
  const get = command
    .command('get')
    .description(`show one ${singular}`)
    .argument('<name>', `the ${singular}`)
    .action((name: string, options: ShownOptions) =>
      withCore(options, async core => {
        const {listing, get} = await resource.load();
        await printItem(options.output, listing, await get(core, resourceName(plural, name)));
      }),
    );
  addClientOptions(addOutputOption(get));
}

export function addWatchVerb<Schema extends DescMessage>(
  command: Command,
  resource: Resource<Schema>,
): void {
  const watch = command
    .command('watch')
    .description(`follow ${resource.plural} as they change`)
    .option('--filter <filter>', 'FIELD OP VALUE terms joined by AND', '')
    .action((options: ListOptions) => withCore(options, core => follow(core, resource, options)));
  addClientOptions(addOutputOption(watch, ['table', 'json', 'ndjson', 'name']));
}

async function listAll<Schema extends DescMessage>(
  core: Connection,
  resource: Resource<Schema>,
  {filter, output, limit = Number.POSITIVE_INFINITY, sort = 'name'}: ListOptions,
): Promise<void> {
  const {listing, list} = await resource.load();
  const order = resource.orders?.[sort];
  const wanted = order === undefined ? limit : Number.POSITIVE_INFINITY;
  const items: MessageShape<Schema>[] = [];
  let pageToken = '';
  do {
    const pageSize = Math.min(PAGE_SIZE, wanted - items.length);
    const page = await list(core, {pageSize, pageToken, filter});
    items.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && items.length < wanted);
  await printList(output, listing, order === undefined ? items : highest(items, order, limit));
}

/** The highest first, equal ones by name, as they came; what is not known last. */
function highest<Item>(
  items: readonly Item[],
  order: (item: Item) => number | undefined,
  limit: number,
): Item[] {
  const value = (item: Item) => order(item) ?? Number.NEGATIVE_INFINITY;
  return items
    .toSorted((left, right) => (value(left) === value(right) ? 0 : value(right) - value(left)))
    .slice(0, limit);
}

async function follow<Schema extends DescMessage>(
  core: Connection,
  resource: Resource<Schema>,
  {filter, output}: ListOptions,
): Promise<void> {
  const {listing, watch} = await resource.load();
  if (watch === undefined) return;
  const lines = createLines(listing);
  let isTitled = output !== 'table';
  for await (const {event} of core.read(watch(core, filter))) {
    if (!isTitled) print(lines.title);
    isTitled = true;
    const {case: type = '', value} = event;
    if (type === 'bookmark') continue;
    const name = typeof value === 'string' ? value : (value as {name: string}).name;
    if (output === 'name') print(name);
    else if (output === 'table') print(harmlessName(lines.lineOf(type, name, value)));
    else print(JSON.stringify({type, name, ...itemOf(resource.singular, listing, value)}));
  }
}

function itemOf<Schema extends DescMessage>(
  singular: string,
  {schema}: Listing<Schema>,
  value: unknown,
): {[key: string]: JsonValue} {
  if (typeof value === 'string') return {};
  return {[singular]: toRecord(schema, value as MessageShape<Schema>)};
}

/** A column is as wide as its widest cell so far: what comes is not known yet. */
function createLines<Schema extends DescMessage>(listing: Listing<Schema>) {
  const columns = listing.columns.filter(column => !column.wide);
  const widths: number[] = [];
  const lineFrom = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => {
        widths[index] = Math.max(widths[index] ?? 0, cell.length);
        return cell.padEnd(widths[index]);
      })
      .join('  ')
      .trimEnd();
  const [time, change] = ['TIME'.padEnd(new Date().toISOString().length), 'CHANGE '];
  return {
    title: lineFrom([time, change, ...columns.map(column => column.title.padEnd(8))]),
    lineOf(type: string, name: string, value: unknown): string {
      const cells =
        typeof value === 'string'
          ? [name]
          : columns.map(column => column.cell(value as MessageShape<Schema>));
      return lineFrom([new Date().toISOString(), type, ...cells]);
    },
  };
}
