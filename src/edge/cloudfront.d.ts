/** What the runtime of CloudFront Functions has of its own. */
declare module 'cloudfront' {
  interface KeyValueStore {
    /** @throws Error when there is no such item, or no store */
    get(key: string): Promise<string>;
  }
  const cloudfront: {
    /** The one store that is associated with the function. */
    kvs(): KeyValueStore;
  };
  // biome-ignore lint/style/noDefaultExport: that is what the module has.
  export default cloudfront;
}
