/** What people upload in place of an image that is decoded: files by what they begin with, in Latin-1. */
const SIGNATURES: readonly [start: string, name: string][] = [
  ['%!PS', 'PostScript or EPS'],
  ['\xc5\xd0\xd3\xc6', 'EPS'],
  ['PK\x03\x04', 'a ZIP archive, or a document that is one'],
  ['PK\x05\x06', 'an empty ZIP archive'],
  ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'a document of an old Microsoft Office'],
  ['{\\rtf', 'an RTF document'],
  ['\x1a\x45\xdf\xa3', 'a Matroska or WebM video'],
  ['FLV\x01', 'a Flash video'],
  ['\0\0\x01\xba', 'an MPEG video'],
  ['\0\0\x01\xb3', 'an MPEG video'],
  ['0&\xb2u\x8ef\xcf\x11', 'a Windows Media file'],
  ['OggS', 'an Ogg file'],
  ['ID3', 'an MP3 file'],
  ['fLaC', 'a FLAC file'],
  ['gimp xcf', 'XCF, a GIMP project'],
  ['v/1\x01', 'OpenEXR'],
  ['#?RADIANCE', 'Radiance HDR'],
  ['#?RGBE', 'Radiance HDR'],
  ['DDS ', 'a DDS texture'],
  ['\xabKTX ', 'a KTX texture'],
  ['icns', 'ICNS, a macOS icon'],
  ['qoif', 'QOI'],
  ['BPG\xfb', 'BPG'],
  ['FLIF', 'FLIF'],
  ['AT&TFORM', 'DjVu'],
  ['\x97JB2\r\n\x1a\n', 'JBIG2'],
  ['\x8aMNG\r\n\x1a\n', 'MNG'],
  ['\x8bJNG\r\n\x1a\n', 'JNG'],
  ['\xd7\xcd\xc6\x9a', 'a Windows metafile (WMF)'],
  ['farbfeld', 'farbfeld'],
  ['SIMPLE  =', 'FITS'],
  ['II\xbc\x01', 'JPEG XR'],
  ['\x0a\x05\x01', 'PCX'],
  ['\0\0\x02\0\0\0\0\0', 'Targa (TGA)'],
  ['\0\0\x03\0\0\0\0\0', 'Targa (TGA)'],
  ['\0\0\x0a\0\0\0\0\0', 'Targa (TGA)'],
  ['\x01\xda', 'SGI'],
  ['FOVb', 'camera RAW of Sigma (X3F)'],
  ['\0MRM', 'camera RAW of Minolta (MRW)'],
  ['\x1f\x8b', 'gzip'],
  ['BZh', 'bzip2'],
  ['\xfd7zXZ\0', 'xz'],
  ['7z\xbc\xaf\x27\x1c', 'a 7z archive'],
  ['Rar!\x1a\x07', 'a RAR archive'],
  ['(\xb5/\xfd', 'Zstandard'],
  ['\x7fELF', 'a program'],
  ['MZ', 'a program'],
  ['SQLite format 3', 'a SQLite database'],
];

/** Files that begin with a container's name and have their own after it. */
const CONTAINED: readonly [container: string, at: number, name: string, what: string][] = [
  ['RIFF', 8, 'AVI ', 'an AVI video'],
  ['RIFF', 8, 'WAVE', 'a WAV file'],
  ['', 128, 'DICM', 'DICOM'],
  ['', 257, 'ustar', 'a tar archive'],
  ['\x01\0\0\0', 40, ' EMF', 'a Windows metafile (EMF)'],
  // A bitmap array that begins with a bitmap, an icon or a pointer, and icons of their own.
  ['BA', 14, 'BM', 'an OS/2 bitmap array'],
  ['BA', 14, 'CI', 'an OS/2 icon'],
  ['BA', 14, 'IC', 'an OS/2 icon'],
  ['BA', 14, 'CP', 'an OS/2 pointer'],
  ['BA', 14, 'PT', 'an OS/2 pointer'],
  ['CI', 2, '\x1a\0\0\0', 'an OS/2 icon'],
  ['CI', 2, '\x4e\0\0\0', 'an OS/2 icon'],
  ['IC', 2, '\x1a\0\0\0', 'an OS/2 icon'],
  ['IC', 2, '\x4e\0\0\0', 'an OS/2 icon'],
  ['', 4, 'moov', 'a QuickTime video'],
  ['', 4, 'mdat', 'a QuickTime video'],
];

/** Folders in a document that is a ZIP archive, by which programs tell them. */
const DOCUMENTS: readonly [path: string, name: string][] = [
  ['word/', 'a Word document'],
  ['xl/', 'an Excel workbook'],
  ['ppt/', 'a PowerPoint presentation'],
  ['mimetypeapplication/vnd.oasis.opendocument', 'an OpenDocument file'],
  ['mimetypeapplication/epub', 'an EPUB book'],
  ['mimetypeimage/openraster', 'an OpenRaster project'],
];

/** Major brands of files in boxes. All other brands that are no image are those of videos. */
const BRANDS: Readonly<Record<string, string>> = {
  avci: 'HEIF with AVC',
  avcs: 'HEIF with AVC',
  mif1: 'HEIF with an unknown codec',
  msf1: 'HEIF with an unknown codec',
  mif3: 'AVIF or HEIF with a short header (mif3)',
  j2ki: 'HEIF with JPEG 2000',
  vvic: 'HEIF with VVC',
  'M4A ': 'an audio file (M4A)',
  'qt  ': 'a QuickTime video',
};

/** Enough for the names of the first files in a ZIP archive. */
const HEAD_BYTES = 4096;

/** Returns what a file is that is no image of a type which is decoded, to be read after "The source is"; `undefined` if that is not known. */
export function otherFileType(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
  if (head.startsWith('PK')) {
    const document = DOCUMENTS.find(([path]) => head.includes(path));
    if (document) return document[1];
  }
  if (head.slice(4, 8) === 'ftyp') return BRANDS[head.slice(8, 12)] ?? 'an MP4 video';
  const known = SIGNATURES.find(([start]) => head.startsWith(start));
  if (known) return known[1];
  const contained = CONTAINED.find(
    ([container, at, name]) => head.startsWith(container) && head.startsWith(name, at),
  );
  return contained?.[3] ?? textType(head);
}

function textType(head: string): string | undefined {
  const text = head
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
    .toLowerCase();
  if (text.startsWith('<!doctype html') || /<html[\s>]/.test(text.slice(0, 512))) return 'an HTML page';
  if (text.slice(0, 512).includes('<svg')) return 'SVG';
  if (text.startsWith('<?xml') || text.startsWith('<')) return 'XML';
  if (/^[{[]["{[\s\d\]}]/.test(text)) return 'JSON';
  if (/^p[1-7]\s/.test(text)) return 'a Netpbm image (PBM, PGM, PPM or PAM)';
  return undefined;
}
