/** What an edge asks besides files: tools of the host, endpoints of applications. */
import {accessSync, constants} from 'node:fs';
import {type Command, InvalidArgumentError, Option} from 'commander';
import {isLoopback} from '../core/domain/address.ts';
import {ForestayError} from '../core/domain/errors.ts';
import type {HostProbes} from '../edge/main.ts';
import {APPLICATION_METRICS, type ApplicationMetrics} from '../edge/sensors/application-metrics.ts';

export type ProbeOptions = {
  smartctl: string;
  ipmitool: string;
  journalctl: string;
  application: readonly string[];
  applicationMetrics: ApplicationMetrics;
};

const tools = ['smartctl', 'ipmitool', 'journalctl'] as const;
/** Where such tools are, on hosts whose services have a short PATH too. */
const folders = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];

export function addProbeOptions(command: Command): Command {
  const what = {
    smartctl: 'asks drives for their health',
    ipmitool: 'asks the board for power supplies and sensors',
    journalctl: 'counts what the log says, where there is a journal',
  };
  for (const tool of tools)
    command.option(`--${tool} <path>`, `${what[tool]}; off: it is not asked`, tool);
  return command
    .option(
      '--application <url>',
      'metrics endpoint of an application here (OpenMetrics); may be given more than once',
      (text: string, urls: readonly string[]) => [...urls, url(text)],
      [],
    )
    .addOption(
      new Option(
        '--application-metrics <what=name,...>',
        'what its metrics are called: latency, requests, connections, beside the usual names',
      )
        .argParser(metrics)
        .default(APPLICATION_METRICS, 'those of common servers'),
    );
}

/**
 * Tools by path. One that was not asked for by name is left out where it is not installed, or when
 * another root is read: it would tell of this machine.
 *
 * @throws {ForestayError} `CONFIG_INVALID` for an endpoint elsewhere without `--insecure`.
 */
export function toProbes(
  options: ProbeOptions & {root: string; insecure: boolean},
  command: Command,
): HostProbes {
  const {application: applications, applicationMetrics, root, insecure} = options;
  for (const endpoint of applications)
    if (!insecure && !isLoopback(new URL(endpoint).hostname.replace(/^\[|\]$/g, '')))
      throw new ForestayError(
        'CONFIG_INVALID',
        `${new URL(endpoint).host} is not on this machine: an edge asks only its own host for metrics; --insecure lets it ask others`,
      );
  const found: Record<string, string> = {};
  for (const tool of tools) {
    const wanted = options[tool];
    const isDefault = command.getOptionValueSource(tool) === 'default';
    if (wanted === 'off' || (isDefault && root !== '/')) continue;
    const path = wanted.includes('/') ? wanted : findTool(wanted);
    if (path !== undefined) found[tool] = path;
    else if (!isDefault) found[tool] = wanted;
  }
  return {tools: found, applications, applicationMetrics};
}

function findTool(name: string): string | undefined {
  return [...(process.env.PATH ?? '').split(':'), ...folders]
    .map(folder => `${folder}/${name}`)
    .find(path => {
      try {
        accessSync(path, constants.X_OK);
        return path.startsWith('/');
      } catch {
        return false;
      }
    });
}

function url(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError('Expected a URL, for instance http://127.0.0.1:9100/metrics.');
}

/** Names that are given come before the usual ones. */
function metrics(text: string): ApplicationMetrics {
  const result: Record<string, readonly string[]> = {...APPLICATION_METRICS};
  for (const pair of text.split(',')) {
    const [, what = '', name = ''] = /^(\w+)=([a-zA-Z_:][\w:]*)$/.exec(pair) ?? [];
    if (!(what in APPLICATION_METRICS))
      throw new InvalidArgumentError(
        'Expected latency=NAME, requests=NAME or connections=NAME, with commas between.',
      );
    result[what] = [name, ...(result[what] ?? [])];
  }
  return result as ApplicationMetrics;
}
