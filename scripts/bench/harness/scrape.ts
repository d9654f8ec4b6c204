/** The token of the unit routes of servers under test. */
export const ADMIN_TOKEN = 'bench-token';
export const ADMIN_HEADERS = { authorization: `Bearer ${ADMIN_TOKEN}` };

/** Reads `GET /metrics`, and returns the sum of a metric over all of its labels; 0 if there is none. */
export async function scrape(url: string, name: string): Promise<number> {
  const response = await fetch(`${url}/metrics`, { headers: ADMIN_HEADERS });
  const lines = (await response.text())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
