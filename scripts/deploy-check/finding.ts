/** The result of one check. */
export interface Finding {
  state: 'ok' | 'missing' | 'not checked';
  /** What was checked. */
  what: string;
  found: string;
  /** What to do about it. */
  todo?: string;
}

/** A line for a finding, and below it what to do. */
export function formatFinding({ state, what, found, todo }: Finding): string {
  const line = `${state.padEnd(11)}  ${what.padEnd(18)}  ${found}`;
  return todo === undefined ? line : `${line}\n${' '.repeat(33)}→ ${todo}`;
}

/** What could not be checked, and why. */
export function notChecked(what: string, found: string): Finding {
  return { state: 'not checked', what, found };
}
