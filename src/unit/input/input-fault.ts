/**
 * Why an input cannot be read, or cannot be read further: it is damaged, or nothing of which units can be read. Its message is public. An
 * error of the file or the network is none.
 */
export class InputFault extends Error {
  /** Whether the input is of another type, as a whole. */
  readonly isOtherType: boolean;

  constructor(
    message: string,
    { isOtherType = false, cause }: { isOtherType?: boolean; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.isOtherType = isOtherType;
  }
}
