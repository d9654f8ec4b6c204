/** The part of an AWS SDK client that is used here. */
interface RegionalClient {
  config: { region(): Promise<string> };
  destroy(): void;
}

/**
 * Returns the region that the SDK finds in the environment or the shared files, or `us-east-1` if it finds none. It is for other servers
 * than Amazon's, most of which ignore the region.
 *
 * @param createClient - creates a client without a `region`: only such a client looks for one
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
