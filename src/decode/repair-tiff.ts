export function repairTiff(bytes: Uint8Array): Uint8Array {
  return bytes;
}
