/** What every answer says: nothing in it may be run, sniffed or kept from the pages that ask for it. */
export const OPEN_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'",
  'Access-Control-Allow-Origin': '*',
  'Timing-Allow-Origin': '*',
} as const;
