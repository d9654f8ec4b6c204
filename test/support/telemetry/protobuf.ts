// Just enough of the wire format of Protocol Buffers to read what an exporter of OpenTelemetry sends.

/** A message: the values of each field, by its number. */
export class Message {
  readonly #fields = new Map<number, (bigint | Buffer)[]>();

  constructor(bytes: Buffer) {
    for (let at = 0; at < bytes.length; ) {
      const tag = varint(bytes, at);
      const field = Number(tag.value >> 3n);
      const wireType = Number(tag.value & 7n);
      const { value, end } = readValue(bytes, tag.end, wireType);
      this.#fields.set(field, [...(this.#fields.get(field) ?? []), value]);
      at = end;
    }
  }

  /** Returns the messages in a repeated field. */
  all(field: number): Message[] {
    return this.#bytes(field).map((bytes) => new Message(bytes));
  }

  /** Returns the messages at the end of a path of fields. */
  path(...fields: number[]): Message[] {
    return fields.reduce<Message[]>((found, field) => found.flatMap((message) => message.all(field)), [this]);
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  text(field: number): string {
    return this.#bytes(field)[0]?.toString() ?? '';
  }

  hex(field: number): string {
    return this.#bytes(field)[0]?.toString('hex') ?? '';
  }

  /** Returns a whole number; 0 if it is absent. */
  number(field: number): bigint {
    const [value = 0n] = this.#fields.get(field) ?? [];
    return typeof value === 'bigint' ? value : value.readBigUInt64LE();
  }

  double(field: number): number {
    return this.#bytes(field)[0]?.readDoubleLE() ?? 0;
  }

  /** Returns a field of `KeyValue` messages: their texts and numbers by key. */
  attributes(field: number): Record<string, string | number> {
    const pairs = this.all(field).map((pair) => {
      const [value] = pair.all(2);
      return [pair.text(1), value?.has(3) ? Number(value.number(3)) : (value?.text(1) ?? '')] as const;
    });
    return Object.fromEntries(pairs);
  }

  #bytes(field: number): Buffer[] {
    return (this.#fields.get(field) ?? []).filter((value) => Buffer.isBuffer(value));
  }
}

function readValue(bytes: Buffer, at: number, wireType: number): { value: bigint | Buffer; end: number } {
  if (wireType === 0) return varint(bytes, at);
  const length = wireType === 2 ? varint(bytes, at) : { value: wireType === 1 ? 8n : 4n, end: at };
  const end = length.end + Number(length.value);
  return { value: bytes.subarray(length.end, end), end };
}

function varint(bytes: Buffer, at: number): { value: bigint; end: number } {
  let value = 0n;
  for (let end = at; ; end++) {
    const byte = bytes[end];
    if (byte === undefined) throw new Error('the message ends within a number');
    value |= BigInt(byte & 0x7f) << BigInt(7 * (end - at));
    if (byte < 0x80) return { value, end: end + 1 };
  }
}
