/** What the stack is called, unless it is deployed by another name. */
export const DEFAULT_STACK = 'Edgepress';
