import type {Anomaly} from '../proto/gen/forestay/v1/fleet_pb.ts';
import {formatFigure} from './figures.ts';

/** What `hosts describe` says of how odd a host is: nothing while it is not watched. */
export function anomalyFacts(anomaly: Anomaly | undefined): [label: string, value: string][] {
  if (anomaly === undefined) return [];
  const {score, threshold, odd, metrics, learnedRows, neededRows} = anomaly;
  if (score === undefined || threshold === undefined) {
    const share = `${learnedRows} of ${neededRows} minutes of hosts like it`;
    return [['anomaly', `learning what is usual: ${share}`]];
  }
  const word = odd ? 'odd' : 'usual';
  return [
    ['anomaly', `${word}: score ${score.toFixed(1)}, odd from ${threshold.toFixed(1)} on`],
    ...metrics.map(({metric, value, usual, unit}): [string, string] => [
      '',
      `${metric} ${formatFigure(value, unit)}, usually ${formatFigure(usual)}`,
    ]),
    ['odd in rack', percent(anomaly.rackOddRatio)],
    ['odd VMs', percent(anomaly.oddVmsRatio)],
  ];
}

const percent = (share: number | undefined): string =>
  share === undefined ? '' : `${Math.round(share * 100)} %`;
