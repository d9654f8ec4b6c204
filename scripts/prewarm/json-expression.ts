import {
  compile,
  isRegistered,
  type JSONValue,
  TreeInterpreter,
  tokenize,
} from '@jmespath-community/jmespath';
import { CommandFailure } from '../command/command-failure.ts';

/** Finds what a JMESPath expression asks for in a value out of JSON; throws an Error where that is not possible. */
export type JsonExpression = (value: unknown) => unknown;

/**
 * Compiles a JMESPath expression.
 *
 * @param option - what the user gave it as, such as `--images`
 * @throws CommandFailure that says what is wrong with it and where
 */
export function compileExpression(option: string, expression: string): JsonExpression {
  const tree = compileOrFail(option, expression);
  return (value) => {
    try {
      return TreeInterpreter.search(tree, value as JSONValue);
    } catch (error) {
      throw new Error(`${option}: ${messageOf(error)}`);
    }
  };
}

function compileOrFail(option: string, expression: string): ReturnType<typeof compile> {
  const fail = (message: string, at: number): never => {
    const pointed = `  ${expression}\n  ${' '.repeat(at)}^`;
    throw new CommandFailure(
      `${option} is no JMESPath expression, from character ${at + 1} on: ${message}\n${pointed}`,
    );
  };
  const fault = faultOf(expression);
  if (fault !== undefined) fail(fault.replace(/^syntax( error)?[:,] /i, ''), positionOf(fault, expression));
  const tree = compile(expression);
  // Not where a field of that name stands, which no parenthesis follows.
  const callOf = (name: string) => expression.search(`\\b${name}\\s*\\(`);
  for (const name of functionsIn(tree)) {
    if (!isRegistered(name)) fail(`there is no function ${name}()`, callOf(name));
  }
  const arity = arityFaultOf(tree);
  if (arity) fail(arity.fault, callOf(arity.name));
  return tree;
}

/** A function that has too many or too few arguments for any input. */
function arityFaultOf(tree: ReturnType<typeof compile>): { fault: string; name: string } | undefined {
  try {
    TreeInterpreter.search(tree, null);
    return undefined;
  } catch (error) {
    const fault = messageOf(error);
    const name = /^Invalid arity: (\w+)\(\)/.exec(fault)?.[1];
    return name === undefined ? undefined : { fault, name };
  }
}

function faultOf(expression: string): string | undefined {
  try {
    compile(expression);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** The library does not say where a fault is, but that shows by what it takes in before it says the same. */
function positionOf(fault: string, expression: string): number {
  let readable = expression.length;
  while (readable > 0 && !isReadable(expression.slice(0, readable))) readable--;
  if (readable < expression.length) return readable;
  if (fault.includes('EOF')) return expression.length;
  const starts = tokenize(expression).map(({ start }) => start);
  const culprit = starts.findIndex(
    (_, index) => faultOf(expression.slice(0, starts[index + 1] ?? expression.length)) === fault,
  );
  return starts[culprit] ?? 0;
}

function isReadable(expression: string): boolean {
  try {
    tokenize(expression);
    return true;
  } catch {
    return false;
  }
}

function functionsIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const below = Object.values(node).flatMap(functionsIn);
  const isFunction = 'type' in node && node.type === 'Function' && 'name' in node;
  return isFunction ? [String(node.name), ...below] : below;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
