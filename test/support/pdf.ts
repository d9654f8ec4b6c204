/** Makes a PDF of objects, numbered from 1. The first is the catalog. */
export function pdf(objects: readonly (string | Buffer)[], trailer = ''): Buffer {
  const parts = [Buffer.from('%PDF-1.7\n')];
  const offsets: number[] = [];
  let at = (parts[0] as Buffer).length;
  for (const [index, object] of objects.entries()) {
    const part = Buffer.concat([
      Buffer.from(`${index + 1} 0 obj\n`),
      Buffer.from(object),
      Buffer.from('\nendobj\n'),
    ]);
    offsets.push(at);
    at += part.length;
    parts.push(part);
  }
  const entries = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`);
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries.join('')}`;
  const end = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${at}\n%%EOF\n`;
  return Buffer.concat([...parts, Buffer.from(table + end)]);
}

export interface PageOptions {
  /** Operators that draw the page. */
  content: string;
  /** In points. */
  width?: number;
  height?: number;
  /** Further entries of the page. */
  extra?: string;
  /** A JPEG that the content draws as `Im1`, with its size. */
  image?: { jpeg: Buffer; width: number; height: number };
  /** The text in a form field at the lower left corner, which has no appearance of its own. */
  fieldValue?: string;
}

/** Makes a PDF with one page, with the font Helvetica, not embedded, as `F1`. */
export function pageAsPdf({
  content,
  width = 595,
  height = 842,
  extra = '',
  image,
  fieldValue,
}: PageOptions): Buffer {
  const jpeg = image ?? { jpeg: Buffer.alloc(0), width: 1, height: 1 };
  const dimensions = `/Width ${jpeg.width} /Height ${jpeg.height} /ColorSpace /DeviceRGB /BitsPerComponent 8`;
  return pdf([
    `<< /Type /Catalog /Pages 2 0 R ${fieldValue === undefined ? '' : '/AcroForm << /Fields [7 0 R] /NeedAppearances true /DR << /Font << /F1 4 0 R >> >> >>'} >>`,
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${width} ${height}] ${extra} /Contents 5 0 R ${
      fieldValue === undefined ? '' : '/Annots [7 0 R]'
    } /Resources << /Font << /F1 4 0 R >> /XObject << /Im1 6 0 R >> >> >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    stream('', Buffer.from(content)),
    stream(`/Type /XObject /Subtype /Image ${dimensions} /Filter /DCTDecode`, jpeg.jpeg),
    `<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (${fieldValue ?? ''}) /Rect [0 0 ${width} 40] /DA (/F1 30 Tf 0 g) /F 4 /P 3 0 R >>`,
  ]);
}

function stream(dictionary: string, data: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`<< ${dictionary} /Length ${data.length} >>\nstream\n`),
    data,
    Buffer.from('\nendstream'),
  ]);
}

/** Operators that fill the four quarters of a page with {@link QUARTERS}'s colours. */
export function quartersOfPage(
  colours: readonly { r: number; g: number; b: number }[],
  width = 595,
  height = 842,
): string {
  return colours
    .map(({ r, g, b }, index) => {
      const x = index % 2 === 0 ? 0 : width / 2;
      const y = index < 2 ? height / 2 : 0;
      return `${r / 255} ${g / 255} ${b / 255} rg ${x} ${y} ${width / 2} ${height / 2} re f`;
    })
    .join('\n');
}
