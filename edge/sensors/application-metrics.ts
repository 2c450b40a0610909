import type {MetricSample} from './metrics-text.ts';

/** Names of metrics, without what histograms append. */
export type ApplicationMetrics = {
  /** Histograms or summaries of request durations; in ms if they are named so. */
  latency: readonly string[];
  /** Counters of requests with a label for the status. */
  requests: readonly string[];
  /** Gauges. */
  connections: readonly string[];
};

/** What common servers and libraries call them. */
export const APPLICATION_METRICS: ApplicationMetrics = {
  latency: [
    'http_request_duration_seconds',
    'http_server_request_duration_seconds',
    'http_server_requests_seconds',
    'http_request_duration_milliseconds',
    'http_server_duration_milliseconds',
    'grpc_server_handling_seconds',
    'caddy_http_request_duration_seconds',
    'traefik_service_request_duration_seconds',
    'nginx_ingress_controller_request_duration_seconds',
  ],
  requests: [
    'http_requests_total',
    'http_request_duration_seconds_count',
    'http_server_request_duration_seconds_count',
    'http_server_requests_seconds_count',
    'traefik_service_requests_total',
    'nginx_ingress_controller_requests',
    'haproxy_frontend_http_responses_total',
  ],
  connections: [
    'http_server_active_requests',
    'nginx_connections_active',
    'haproxy_frontend_current_sessions',
    'envoy_http_downstream_cx_active',
    'traefik_open_connections',
    'redis_connected_clients',
    'mysql_global_status_threads_connected',
    'pg_stat_activity_count',
  ],
};

const statusLabels = [
  'status',
  'code',
  'status_code',
  'http_status_code',
  'http_response_status_code',
];

/** What one endpoint said, ready to be compared with what it said before. */
export type Scrape = {
  atMs: number;
  /** By series: seconds waited and requests. */
  latency: ReadonlyMap<string, {seconds: number; requests: number}>;
  /** By metric and status. */
  requests: ReadonlyMap<string, {isError: boolean; requests: number}>;
  connections: number;
};

/** NaN: it does not tell, or there was no request meanwhile. */
export type ApplicationReading = {
  latencySeconds: number;
  errorsRatio: number;
  connections: number;
};

/** Names as they are in the text. */
export function namesOf({latency, requests, connections}: ApplicationMetrics): Set<string> {
  const parts = latency.flatMap(name => [`${name}_sum`, `${name}_count`]);
  return new Set([...parts, ...requests, ...connections]);
}

/** Of the first of the names that is there: two that tell of the same requests count once. */
export function toScrape(
  samples: readonly MetricSample[],
  metrics: ApplicationMetrics,
  atMs: number,
): Scrape {
  const present = new Set(samples.map(({name}) => name));
  const latencyName = metrics.latency.find(name => present.has(`${name}_count`)) ?? '';
  const requestsName = metrics.requests.find(name => present.has(name)) ?? '';
  const scale = /_(milliseconds|ms)$/.test(latencyName) ? 1000 : 1;
  const latency = new Map<string, {seconds: number; requests: number}>();
  const requests = new Map<string, {isError: boolean; requests: number}>();
  let connections = Number.NaN;
  for (const {name, labels, value} of samples) {
    const series = JSON.stringify(labels);
    if (name === `${latencyName}_sum` || name === `${latencyName}_count`) {
      const known = latency.get(series) ?? {seconds: 0, requests: 0};
      if (name.endsWith('_sum')) known.seconds = value / scale;
      else known.requests = value;
      latency.set(series, known);
    }
    const status = labels[statusLabels.find(label => label in labels) ?? ''];
    if (name === requestsName && status !== undefined)
      requests.set(series, {isError: status.startsWith('5'), requests: value});
    if (metrics.connections.includes(name))
      connections = (Number.isNaN(connections) ? 0 : connections) + value;
  }
  return {atMs, latency, requests, connections};
}

/** What happened between two scrapes; a counter that went back (a restart) tells nothing. */
export function compareScrapes(before: Scrape | undefined, now: Scrape): ApplicationReading {
  let seconds = 0;
  let timed = 0;
  let errors = 0;
  let all = 0;
  for (const [series, {seconds: total, requests}] of before ? now.latency : []) {
    const earlier = before?.latency.get(series) ?? {seconds: 0, requests: 0};
    if (requests < earlier.requests || total < earlier.seconds) continue;
    seconds += total - earlier.seconds;
    timed += requests - earlier.requests;
  }
  for (const [series, {isError, requests}] of before ? now.requests : []) {
    const growth = requests - (before?.requests.get(series)?.requests ?? 0);
    if (!(growth >= 0)) continue;
    all += growth;
    if (isError) errors += growth;
  }
  return {latencySeconds: seconds / timed, errorsRatio: errors / all, connections: now.connections};
}
