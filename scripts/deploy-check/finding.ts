/** What is known of something that has to be right before a deploy. */
export interface Finding {
  state: 'ok' | 'missing' | 'not checked';
  /** What was looked at. */
  what: string;
  /** What was found. */
  found: string;
  /** What to do about it. */
  todo?: string;
}

/** A line, and below it what to do. */
export function describeFinding({ state, what, found, todo }: Finding): string {
  const line = `${state.padEnd(11)}  ${what.padEnd(18)}  ${found}`;
  return todo === undefined ? line : `${line}\n${' '.repeat(33)}→ ${todo}`;
}
