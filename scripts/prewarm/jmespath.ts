import {
  compile,
  isRegistered,
  type JSONValue,
  TreeInterpreter,
  tokenize,
} from '@jmespath-community/jmespath';
import { CommandFailure, messageOf } from '../cli/command.ts';

/** Evaluates a JMESPath expression on a JSON value. Throws an Error when that fails, such as for a function of the wrong type. */
export type JsonExpression = (value: unknown) => unknown;

/**
 * Compiles a JMESPath expression.
 *
 * @param option - the option that it is the value of, such as `--images`, for messages
 * @throws CommandFailure saying what is wrong with it and at which character
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
      `${option} is not a valid JMESPath expression, from character ${at + 1} on: ${message}\n${pointed}`,
    );
  };
  const syntaxError = syntaxErrorOf(expression);
  if (syntaxError !== undefined)
    fail(syntaxError.replace(/^syntax( error)?[:,] /i, ''), positionOf(syntaxError, expression));
  const tree = compile(expression);
  // A parenthesis follows a function, but not a field of the same name.
  const callOf = (name: string) => expression.search(`\\b${name}\\s*\\(`);
  for (const name of functionsIn(tree)) {
    if (!isRegistered(name)) fail(`there is no function ${name}()`, callOf(name));
  }
  const arity = arityErrorOf(tree);
  if (arity) fail(arity.message, callOf(arity.name));
  return tree;
}

/** A function with the wrong number of arguments, which the library reports only when it evaluates the expression. */
function arityErrorOf(tree: ReturnType<typeof compile>): { message: string; name: string } | undefined {
  try {
    TreeInterpreter.search(tree, null);
    return undefined;
  } catch (error) {
    const message = messageOf(error);
    const name = /^Invalid arity: (\w+)\(\)/.exec(message)?.[1];
    return name === undefined ? undefined : { message, name };
  }
}

function syntaxErrorOf(expression: string): string | undefined {
  try {
    compile(expression);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * Finds the position of a syntax error, which the library does not report: after the longest prefix that can be tokenized, or at the
 * first token with which a prefix of the expression gives the same error.
 */
function positionOf(syntaxError: string, expression: string): number {
  let tokenized = expression.length;
  while (tokenized > 0 && !canTokenize(expression.slice(0, tokenized))) tokenized--;
  if (tokenized < expression.length) return tokenized;
  if (syntaxError.includes('EOF')) return expression.length;
  const starts = tokenize(expression).map(({ start }) => start);
  const token = starts.findIndex(
    (_, index) => syntaxErrorOf(expression.slice(0, starts[index + 1] ?? expression.length)) === syntaxError,
  );
  return starts[token] ?? 0;
}

function canTokenize(expression: string): boolean {
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
