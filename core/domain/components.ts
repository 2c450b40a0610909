/** The five classes of parts whose failure is predicted, in the order of the model's outputs. */
export const COMPONENTS = ['cpu', 'memory', 'disk', 'network', 'power'] as const;
export type Component = (typeof COMPONENTS)[number];
