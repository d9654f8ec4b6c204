/** Writes the code of both functions into a folder, for one kind of processor. */
export function buildLambda(_folder: string, _target: { cpu: 'arm64' | 'x64' }): void {
  throw new Error('not written yet');
}
