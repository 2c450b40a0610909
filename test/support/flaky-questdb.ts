/** Stands before a real QuestDB and spoils its writes; queries pass. */
import {once} from 'node:events';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {buffer} from 'node:stream/consumers';

export const QUESTDB_MOODS = ['well', 'error', 'hang', 'late'] as const;
/**
 * `error`: answers 500, nothing is written. `hang`: never answers, nothing is written. `late`: the
 * rows are written, but the client hears of it only after it has given up.
 */
export type QuestDbMood = (typeof QUESTDB_MOODS)[number];

export type FlakyQuestDb = {
  address: string;
  /** Writes that were met by each mood. */
  readonly writes: Readonly<Record<QuestDbMood, number>>;
  /** Rows that came through, each as often as it came. */
  readonly rows: number;
  behave(mood: QuestDbMood): void;
  close(): Promise<void>;
};

export async function startFlakyQuestDb(target: string): Promise<FlakyQuestDb> {
  const writes = {well: 0, error: 0, hang: 0, late: 0};
  const kept = new Set<ServerResponse>();
  let rows = 0;
  let mood: QuestDbMood = 'well';

  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const now = request.url?.startsWith('/write') ? mood : 'well';
    const body = await buffer(request);
    if (request.url?.startsWith('/write')) writes[now]++;
    if (now === 'error') return void response.writeHead(500).end('out of order');
    if (now === 'hang') return void kept.add(response);
    const answer = await pass(target, request, body);
    if (request.url?.startsWith('/write')) rows += linesIn(body);
    if (now === 'late') return void kept.add(response);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const server = createServer((request, response) => {
    forward(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a server needs a port');
  return {
    address: `127.0.0.1:${bound.port}`,
    writes,
    get rows() {
      return rows;
    },
    behave(next) {
      mood = next;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function pass(target: string, request: IncomingMessage, body: Buffer) {
  const {method = 'GET', headers, url = '/'} = request;
  const type = headers['content-type'];
  const answer = await fetch(`http://${target}${url}`, {
    method,
    headers: type === undefined ? {} : {'content-type': type},
    ...(body.length === 0 ? {} : {body}),
  });
  return {
    status: answer.status,
    headers: {'content-type': answer.headers.get('content-type') ?? 'text/plain'},
    body: Buffer.from(await answer.arrayBuffer()),
  };
}

function linesIn(body: Buffer): number {
  let lines = 0;
  for (const byte of body) if (byte === 0x0a) lines++;
  return lines;
}
