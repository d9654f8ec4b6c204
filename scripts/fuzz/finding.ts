/** What an input did that it must not do. */
export class Finding extends Error {
  override readonly name = 'Finding';
}
