/** What is asked of a client of the AWS SDK. */
interface RegionalClient {
  config: { region(): Promise<string> };
  destroy(): void;
}

/**
 * The region that the SDK finds by itself, or `us-east-1` where it finds none: other servers than Amazon's mostly do not care.
 *
 * @param createClient - makes a client without a `region` of its own: only such a one can be asked
 */
export async function configuredRegion(createClient: () => RegionalClient): Promise<string> {
  const client = createClient();
  try {
    return await client.config.region();
  } catch {
    return 'us-east-1';
  } finally {
    client.destroy();
  }
}
