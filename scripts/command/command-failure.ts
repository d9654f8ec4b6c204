/** Ends a command with status 1 and a message that says what was wrong and what to do; nothing else is printed. */
export class CommandFailure extends Error {}
