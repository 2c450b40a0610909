import {ForestayError} from '../domain/errors.ts';

const PAGE_SIZE_DEFAULT = 100;
const PAGE_SIZE_MAX = 1000;

export type PageRequest = {pageSize: number; pageToken: string; filter: string};

/**
 * Key of the last item that the caller has, or undefined for the first page.
 *
 * @throws {ForestayError} `INVALID_ARGUMENT` if the token is not one of ours, or of another filter.
 */
export function lastKeyOf({pageToken, filter}: PageRequest): string | undefined {
  if (pageToken === '') return undefined;
  const [key, filterThen] = decode(pageToken);
  if (filterThen !== filter) {
    throw invalid(
      'page_token',
      `page_token belongs to filter "${filterThen}", not "${filter}"; start again without it`,
    );
  }
  return key;
}

/** The next page of `items`, which begin after the caller's last one. */
export function fillPage<Item>(
  items: Iterable<Item>,
  request: PageRequest,
  matches: (item: Item) => boolean,
  keyOf: (item: Item) => string,
): {items: Item[]; nextPageToken: string} {
  if (request.pageSize < 0) {
    throw invalid('page_size', `page_size is ${request.pageSize}; it must be 0 or more`);
  }
  const size = Math.min(request.pageSize || PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const page: Item[] = [];
  for (const item of items) {
    if (!matches(item)) continue;
    if (page.length === size) {
      const nextPageToken = encode(keyOf(page.at(-1) as Item), request.filter);
      return {items: page, nextPageToken};
    }
    page.push(item);
  }
  return {items: page, nextPageToken: ''};
}

function encode(key: string, filter: string): string {
  return Buffer.from(JSON.stringify([key, filter])).toString('base64url');
}

function decode(token: string): [key: string, filter: string] {
  try {
    const [key, filter] = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[];
    if (typeof key === 'string' && typeof filter === 'string') return [key, filter];
  } catch {
    // Falls through: whatever is wrong with it, it is not one of ours.
  }
  throw invalid(
    'page_token',
    'page_token is not one that this server gave; start again without it',
  );
}

function invalid(field: string, message: string): ForestayError {
  return new ForestayError('INVALID_ARGUMENT', message, {details: {field}});
}
