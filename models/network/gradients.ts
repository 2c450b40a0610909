import {ForestayError} from '../../core/domain/errors.ts';
import type {Cotangent, Graph, Value} from './graph.ts';
import {add, concat, gemm, ones, zeros} from './operations.ts';

/**
 * Adds to the graph the gradient of a scalar by each of these values, by the chain rule backwards
 * along its operations. What does not depend on them is not differentiated; a value that the
 * scalar does not depend on has the gradient 0.
 *
 * @throws {ForestayError} `INVALID_ARGUMENT` if an operation on the way has no derivative.
 */
export function gradients(graph: Graph, of: Value, by: readonly Value[]): Value[] {
  const tape = [...graph.tape];
  const dependent = new Set(by.map(({name}) => name));
  for (const {inputs, outputs} of tape) {
    if (!inputs.some(({name}) => dependent.has(name))) continue;
    for (const {name} of outputs) dependent.add(name);
  }
  const parts = new Map<string, Cotangent[]>([[of.name, [ones(graph, of.shape)]]]);
  const total = ({name}: Value) => {
    const found = parts.get(name);
    return found === undefined ? undefined : sum(graph, found);
  };
  for (const {opType, inputs, outputs, derivative} of tape.reverse()) {
    const needed = inputs.some(({name}) => dependent.has(name));
    if (!needed || !outputs.some(({name}) => parts.has(name))) continue;
    if (derivative === undefined) throw noDerivative(opType);
    const wanted = derivative(outputs.map(total), outputs);
    for (const [at, input] of inputs.entries()) {
      const part = wanted[at];
      if (part === undefined || !dependent.has(input.name)) continue;
      parts.set(input.name, [...(parts.get(input.name) ?? []), part()]);
    }
  }
  return by.map(value => total(value) ?? zeros(graph, value.shape));
}

function sum(graph: Graph, parts: readonly Cotangent[]): Value {
  const products = parts.filter(part => 'left' in part);
  const values = parts.filter(part => 'name' in part);
  if (products.length > 0) {
    const left = concat(
      graph,
      products.map(product => product.left),
      0,
    );
    const right = concat(
      graph,
      products.map(product => product.right),
      0,
    );
    values.push(gemm(graph, left, right, {transposeLeft: true}));
  }
  return values.reduce((a, b) => add(graph, a, b));
}

function noDerivative(opType: string): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot differentiate the graph: ${opType} has no derivative; take it off the way`,
    {details: {opType}},
  );
}
