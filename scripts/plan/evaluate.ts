/** What arithmetic is made of: operands, and signs. */
export type Token = number | Sign;
export type Sign = '+' | '−' | '×' | '÷' | '(' | ')' | '⌈' | '⌉' | '⌊' | '⌋';

export const SIGNS = /[+−×÷()⌈⌉⌊⌋]/g;

const BRACKETS: Partial<Record<Sign, { end: Sign; apply: (value: number) => number }>> = {
  '(': { end: ')', apply: (value) => value },
  '⌈': { end: '⌉', apply: (value) => Math.ceil(withoutNoise(value)) },
  '⌊': { end: '⌋', apply: (value) => Math.floor(withoutNoise(value)) },
};

/**
 * Works out arithmetic with the usual precedence; `⌈ ⌉` rounds up and `⌊ ⌋` down.
 *
 * @throws TypeError when it is none
 */
export function evaluate(tokens: readonly Token[]): number {
  let at = 0;
  const takes = (...signs: readonly Sign[]) => signs.includes(tokens[at] as Sign);

  function sum(): number {
    let value = product();
    while (takes('+', '−')) value += tokens[at++] === '+' ? product() : -product();
    return value;
  }

  function product(): number {
    let value = operand();
    while (takes('×', '÷')) value = tokens[at++] === '×' ? value * operand() : value / operand();
    return value;
  }

  function operand(): number {
    const token = tokens[at++];
    if (typeof token === 'number') return token;
    const bracket = token && BRACKETS[token];
    if (!bracket) throw new TypeError(`no operand: ${token}`);
    const value = sum();
    if (tokens[at++] !== bracket.end) throw new TypeError(`${token} has no ${bracket.end}`);
    return bracket.apply(value);
  }

  const value = sum();
  if (at !== tokens.length) throw new TypeError(`no sign: ${tokens[at]}`);
  return value;
}

/** 2.0000000000000004 is 2. */
function withoutNoise(value: number): number {
  return Number(value.toPrecision(12));
}
