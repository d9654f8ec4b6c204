/** The module that the runtime of CloudFront Functions provides. */
declare module 'cloudfront' {
  interface KeyValueStore {
    /** @throws Error when the item or the store does not exist */
    get(key: string): Promise<string>;
  }
  const cloudfront: {
    /** Opens the store that is associated with the function. */
    kvs(): KeyValueStore;
  };
  // biome-ignore lint/style/noDefaultExport: the module has a default export.
  export default cloudfront;
}
