/** Losses as plain functions of a graph; all are means over rows by weight, as scalars. */
import type {Graph, Value} from './graph.ts';
import {add, div, logSoftmax, mul, negate, reduceSum, relu, scalar, sub} from './operations.ts';

/** What a network is trained to: predictions rows × outputs, weights rows × 1. */
export type Loss = (graph: Graph, predictions: Value, targets: Value, weights: Value) => Value;

/**
 * Cross-entropy in nats of softmax(predictions) against targets rows × classes, which may be
 * probabilities.
 */
export const softmaxCrossEntropy: Loss = (graph, predictions, targets, weights) => {
  const agreed = mul(graph, targets, logSoftmax(graph, predictions));
  return weightedMean(graph, negate(graph, reduceSum(graph, agreed, [1], true)), weights);
};

/**
 * Sum over the quantiles of the loss that each minimises: of y − prediction = e it is
 * max(q · e, (q − 1) · e). Targets are rows × 1, predictions one column a quantile.
 *
 * @see R. Koenker, G. Bassett, "Regression quantiles", Econometrica 46(1), 1978.
 */
export function pinballLoss(quantiles: readonly number[]): Loss {
  return (graph, predictions, targets, weights) => {
    const above = graph.constant(quantiles, [quantiles.length]);
    const below = sub(graph, scalar(graph, 1), above);
    const error = sub(graph, targets, predictions);
    const loss = add(
      graph,
      mul(graph, above, relu(graph, error)),
      mul(graph, below, relu(graph, negate(graph, error))),
    );
    return weightedMean(graph, reduceSum(graph, loss, [1], true), weights);
  };
}

/** A batch weighs something: its rows of weight 0 are padding. */
function weightedMean(graph: Graph, losses: Value, weights: Value): Value {
  return div(graph, reduceSum(graph, mul(graph, losses, weights)), reduceSum(graph, weights));
}
