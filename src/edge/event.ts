// The event of a viewer request, as CloudFront Functions get it: only what is used.

export interface HeaderField {
  value: string;
  /** All of them, where a header was sent more than once. */
  multiValue?: readonly { value: string }[];
}

export interface EdgeRequest {
  method: string;
  /** The path as it was sent. */
  uri: string;
  /** The query as it was sent, without its question mark; `undefined` when there is none. */
  rawQueryString(): string | undefined;
  querystring: Record<string, { value: string }>;
  /** By lower-case name. */
  headers: Record<string, HeaderField | undefined>;
}

export interface EdgeResponse {
  statusCode: number;
  statusDescription: string;
  headers: Record<string, { value: string }>;
  body?: { encoding: 'text'; data: string };
}
