import { messageOf } from '../cli/command.ts';
import type { InputLine } from '../cli/input.ts';
import { type ImageFields, InvalidImage, imageFields, type UrlOptions, urlText } from './image-fields.ts';

/** What became of a line: the image with its URL or srcset, or why it is refused. */
export type SignedLine =
  | { image: ImageFields; text: string }
  | { line: number; file?: string; state: 'refused'; detail: string };

/**
 * Signs each line, in order.
 *
 * @param defaults - of fields that a line leaves out
 * @throws the error of the input
 */
export async function* signLines(
  lines: AsyncIterable<InputLine>,
  defaults: ImageFields,
  options: UrlOptions,
): AsyncGenerator<SignedLine, void> {
  for await (const { file, read } of lines) {
    const at = { line: read.line, ...(file !== undefined && { file }), state: 'refused' } as const;
    try {
      if ('problem' in read) throw new InvalidImage(read.problem);
      const image = { ...defaults, ...parseLine(read.text) };
      yield { image, text: urlText(image, options) };
    } catch (error) {
      if (!(error instanceof InvalidImage)) throw error;
      yield { ...at, detail: error.message };
    }
  }
}

function parseLine(text: string): ImageFields {
  const parsed = imageFields.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys')
    throw new InvalidImage(
      `unknown ${issue.keys.map((key) => `\`${key}\``).join(', ')}: a line may have ${Object.keys(imageFields.shape).join(', ')}`,
    );
  const field = issue?.path[0];
  throw new InvalidImage(
    field === undefined
      ? 'it must be an object such as {"unit": "…", "src": "…", "w": 720}'
      : `\`${String(field)}\` must be ${field === 'w' || field === 'exp' ? 'a number' : 'a text'}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidImage(`not JSON: ${messageOf(error)}`);
  }
}
