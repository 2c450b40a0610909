import type {Random} from '../ports.ts';
import {createProbe, type Run} from '../probe.ts';
import {type FetchLimits, fetchText, nameOfUrl} from '../probe-fetch.ts';
import type {Sensor} from '../sensor.ts';
import {
  type ApplicationMetrics,
  type ApplicationReading,
  compareScrapes,
  namesOf,
  type Scrape,
  toScrape,
} from './application-metrics.ts';
import {parseMetrics} from './metrics-text.ts';
import {Reduction} from './reduction.ts';

export type ApplicationsOptions = {
  /** Endpoints that speak the text format of Prometheus or OpenMetrics. */
  urls: readonly string[];
  metrics: ApplicationMetrics;
  random: Random;
  periodMs?: number;
  limits?: Partial<FetchLimits>;
};

const usualPeriodMs = 15_000;

/**
 * What the applications of this host say of themselves, every 15 seconds: the mean latency and the
 * share of errors (5xx) of the worst since the scrape before, and open connections of all.
 */
export function applicationsSensor({
  urls,
  metrics,
  random,
  periodMs,
  limits,
}: ApplicationsOptions): Sensor {
  const names = namesOf(metrics);
  const last = new Map<string, Scrape>();
  const scrape = async (url: string, run: Run): Promise<ApplicationReading | undefined> => {
    try {
      const text = await fetchText(url, run.signal, limits);
      const now = toScrape(parseMetrics(text, names, nameOfUrl(url)), metrics, run.atMs);
      const before = last.get(url);
      last.set(url, now);
      return compareScrapes(before, now);
    } catch (error) {
      run.failed(error);
      return undefined;
    }
  };
  const probe = createProbe(periodMs ?? usualPeriodMs, random, async run => {
    const readings = new Map<string, ApplicationReading>();
    for (const url of urls) {
      const reading = await scrape(url, run);
      if (reading !== undefined) readings.set(url, reading);
    }
    return readings;
  });
  return {
    name: 'applications',
    columns: ['application_latency_seconds', 'application_errors_ratio', 'application_connections'],
    read(nowMs, row) {
      if (urls.length === 0) return;
      const worst = new Reduction();
      for (const [url, reading] of probe.read(nowMs) ?? []) {
        const device = new URL(url).host;
        worst.most('application_latency_seconds', reading.latencySeconds, device);
        worst.most('application_errors_ratio', reading.errorsRatio, device);
        worst.sum('application_connections', reading.connections, device);
      }
      worst.writeTo(row);
      probe.rethrow();
    },
    close: () => probe.close(),
  };
}
