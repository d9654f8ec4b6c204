import { z } from 'zod';
import { CommandFailure } from '../../cli/command.ts';

/** What the manifest of an S3 Inventory says: https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html */
export interface InventoryManifest {
  /** The bucket whose objects are listed. */
  sourceBucket: string;
  /** The names of the columns, such as `Key`. */
  columns: readonly string[];
  /** The files with the rows. */
  files: readonly InventoryFile[];
}

export interface InventoryFile {
  /** In the bucket of the manifest. */
  key: string;
  /** Its size, compressed, in bytes. */
  bytes: number;
}

const manifestSchema = z.object({
  sourceBucket: z.string().min(1),
  fileFormat: z.string(),
  fileSchema: z.string(),
  files: z.array(z.object({ key: z.string().min(1), size: z.int().min(0) })),
});

/**
 * Reads the manifest of an S3 Inventory.
 *
 * @param name - of the object, for messages
 * @returns `undefined` if the text is something else, such as units
 * @throws CommandFailure if the inventory has a format that is not read
 */
export function parseInventoryManifest(name: string, text: string): InventoryManifest | undefined {
  const { data } = manifestSchema.safeParse(parseJson(text));
  if (!data) return undefined;
  // Of ORC and Parquet the schema is another text, so the format is said first.
  if (data.fileFormat !== 'CSV')
    throw new CommandFailure(
      `${name} is an S3 Inventory in ${data.fileFormat}: configure it with the output format CSV, or export its keys to CSV with Athena, and send that`,
    );
  const columns = data.fileSchema.split(',').map((column) => column.trim());
  if (!columns.includes('Key')) throw new CommandFailure(`${name}: its fileSchema has no column Key`);
  return {
    sourceBucket: data.sourceBucket,
    columns,
    files: data.files.map(({ key, size }) => ({ key, bytes: size })),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
