// The worker thread of pdf.ts, which measures or renders the first page of one document. Plain JavaScript, since a worker loads the file as
// it is, without a TypeScript loader.
import { parentPort, workerData } from 'node:worker_threads';
import { init } from '@embedpdf/pdfium';
import { limitWasmMemory, reportFailure } from './worker-limits.mjs';

// Names and values as in fpdfview.h.
const FPDF_ANNOT = 0x01;
const FPDF_REVERSE_BYTE_ORDER = 0x10;
const FPDF_BITMAP_BGR = 2;
const FPDF_ERR_PASSWORD = 4;
const FPDF_ERR_SECURITY = 5;
const RGB = 3;
const WHITE = 0xffffffff;

const { module, maxBytes, bytes, size } = workerData;

class Unsupported extends Error {}

async function start() {
  const instantiateWasm = (imports, done) => {
    WebAssembly.instantiate(module, imports).then((instance) => done(instance, module));
    return {};
  };
  const pdfium = await init({ instantiateWasm });
  pdfium.PDFiumExt_Init();
  return pdfium;
}

function openDocument(pdfium) {
  const at = pdfium.pdfium.wasmExports.malloc(bytes.length);
  pdfium.pdfium.HEAPU8.set(bytes, at);
  const document = pdfium.FPDF_LoadMemDocument(at, bytes.length, '');
  if (document) return document;
  const error = pdfium.FPDF_GetLastError();
  if (error === FPDF_ERR_PASSWORD) throw new Unsupported('it is encrypted with a password');
  if (error === FPDF_ERR_SECURITY) throw new Unsupported('its encryption is not supported');
  throw new Error(`FPDF_LoadMemDocument: error ${error}`);
}

function openPage(pdfium, document) {
  const page = pdfium.FPDF_LoadPage(document, 0);
  if (!page) throw new Error('it has no first page');
  return page;
}

/** Renders on white, with annotations and the contents of form fields. The library is built without JavaScript. */
function render(pdfium, document, page) {
  const { width, height } = size;
  const form = pdfium.PDFiumExt_InitFormFillEnvironment(document, pdfium.PDFiumExt_OpenFormFillInfo());
  const bitmap = pdfium.FPDFBitmap_CreateEx(width, height, FPDF_BITMAP_BGR, 0, 0);
  pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, WHITE);
  const area = [page, 0, 0, width, height, 0, FPDF_ANNOT | FPDF_REVERSE_BYTE_ORDER];
  pdfium.FPDF_RenderPageBitmap(bitmap, ...area);
  if (form) pdfium.FPDF_FFLDraw(form, bitmap, ...area);
  const start = pdfium.FPDFBitmap_GetBuffer(bitmap);
  const stride = pdfium.FPDFBitmap_GetStride(bitmap);
  const data = new Uint8Array(width * height * RGB);
  for (let y = 0; y < height; y++) {
    const row = start + y * stride;
    data.set(pdfium.pdfium.HEAPU8.subarray(row, row + width * RGB), y * width * RGB);
  }
  return { data, width, height, channels: RGB, frames: 1 };
}

const memory = limitWasmMemory(maxBytes);
const pdfium = await start();
try {
  const document = openDocument(pdfium);
  const page = openPage(pdfium, document);
  if (size) parentPort.postMessage(render(pdfium, document, page));
  else
    parentPort.postMessage({
      width: pdfium.FPDF_GetPageWidthF(page),
      height: pdfium.FPDF_GetPageHeightF(page),
    });
} catch (error) {
  reportFailure(error, memory, error instanceof Unsupported ? 'unsupported' : 'damaged');
}
