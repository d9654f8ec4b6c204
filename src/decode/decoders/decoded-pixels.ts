/** Decoded pixels, 8 bits a channel: rows from top to bottom, the frames of an animation one below the other. */
export interface DecodedPixels {
  data: Uint8Array;
  /** Of one frame, in pixels. */
  width: number;
  height: number;
  /** RGB, or RGBA with straight alpha. */
  channels: 3 | 4;
  frames: number;
  /** The profile that is embedded in the file, where the decoder says it. */
  iccProfile?: Uint8Array | undefined;
}
