/** How the answers of one request are written. */
export type Format = 'json' | 'base64' | 'resp2'

/** What a command came to. Of a value, texts are bytes and integers are digits. */
export type Reply = { readonly value: unknown } | Refusal

/** What Redis, or the gateway for it, says no with. */
export interface Refusal {
  readonly error: string
}

/** A reply as Upstash writes it: `{"result":…}` or `{"error":"…"}`. */
export function toJson(reply: Reply, format: Format): string {
  if ('error' in reply) return `{"error":${JSON.stringify(reply.error)}}`
  return `{"result":${resultJson(reply.value, format, true)}}`
}

/**
 * Integers go out with all their digits, as JSON numbers. In base64 an "OK" stays as it is, but not
 * inside a list, where @upstash/redis 1.39 decodes every text.
 */
function resultJson(value: unknown, format: Format, whole: boolean): string {
  if (typeof value === 'string' || typeof value === 'number') return `${value}`
  if (Array.isArray(value)) {
    return `[${value.map((item) => resultJson(item, format, false)).join()}]`
  }
  const bytes = value instanceof Error ? Buffer.from(value.message) : value
  if (!Buffer.isBuffer(bytes)) return 'null'
  const plain = format !== 'base64' || (whole && isOk(bytes))
  return JSON.stringify(bytes.toString(plain ? 'utf8' : 'base64'))
}

/** A reply as RESP2 writes it. https://redis.io/docs/latest/develop/reference/protocol-spec/ */
export function toResp2(reply: Reply): Buffer {
  const parts: Buffer[] = []
  write('error' in reply ? new Error(reply.error) : reply.value)
  return Buffer.concat(parts)

  function write(value: unknown): void {
    if (Array.isArray(value)) {
      parts.push(Buffer.from(`*${value.length}\r\n`))
      value.forEach(write)
    } else if (value instanceof Error) {
      parts.push(Buffer.from(`-${value.message.replace(/[\r\n]+/g, ' ')}\r\n`))
    } else if (typeof value === 'string' || typeof value === 'number') {
      parts.push(Buffer.from(`:${value}\r\n`))
    } else if (!Buffer.isBuffer(value)) {
      parts.push(Buffer.from('$-1\r\n'))
    } else if (isOk(value)) {
      // ioredis does not tell a status from a text; to whoever reads RESP the two are one.
      parts.push(Buffer.from('+OK\r\n'))
    } else {
      parts.push(Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n'))
    }
  }
}

const isOk = (bytes: Buffer) => bytes.length === 2 && bytes.toString('latin1') === 'OK'
