/** A bucket or a queue that the configuration names does not exist. Nothing works until an operator creates it, or names another. */
export class MissingResource extends Error {
  /** The variable that names it. */
  readonly variable: string;

  /**
   * @param resource - what is missing, with its name, such as `bucket "images"`
   * @param variable - the variable that names it
   */
  constructor(resource: string, variable: string, cause: unknown) {
    super(`there is no ${resource}: create it, or change ${variable}, which names it`, { cause });
    this.variable = variable;
  }
}

/** Returns the missing resource that an error is about, or was caused by. */
export function missingResourceOf(error: unknown): MissingResource | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof MissingResource) return at;
  return undefined;
}
