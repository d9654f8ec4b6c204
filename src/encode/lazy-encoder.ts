import type { Encoder } from './encoder.ts';

/** An encoder that is loaded when it is first needed. */
export interface LazyEncoder extends Encoder {
  /** Loads it now: whoever waits for something else may as well. */
  load(): Promise<void>;
}

/** Makes an encoder that costs nothing where everything is in the store: loading one takes as long as all else together. */
export function createLazyEncoder(create: () => Promise<Encoder>): LazyEncoder {
  let loading: Promise<Encoder> | undefined;
  const load = () => {
    loading ??= create();
    return loading;
  };
  return {
    async decode(...source) {
      return await (await load()).decode(...source);
    },
    async load() {
      await load();
    },
  };
}
