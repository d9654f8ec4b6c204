/** The part of an AWS SDK client that is used here. */
interface RegionalClient {
  config: { region(): Promise<string> };
  destroy(): void;
}

/**
 * Returns a function that says which region the SDK finds in the environment or the shared files, or `us-east-1` if it finds none. It is for
 * other servers than Amazon's, most of which ignore the region.
 *
 * The SDK asks for the region several times in each request, so it is looked for once: a client takes 2 ms to create.
 *
 * @param createClient - creates a client without a `region`: only such a client looks for one
 */
export function configuredRegion(createClient: () => RegionalClient): () => Promise<string> {
  let region: Promise<string> | undefined;
  return () => {
    region ??= findRegion(createClient());
    return region;
  };
}

async function findRegion(client: RegionalClient): Promise<string> {
  try {
    return await client.config.region();
  } catch {
    return 'us-east-1';
  } finally {
    client.destroy();
  }
}

/** Whether the SDK finds a region for a client that needs one. */
export async function hasRegion({ config }: Pick<RegionalClient, 'config'>): Promise<boolean> {
  return await config.region().then(
    () => true,
    () => false,
  );
}
