import type { Reply } from './reply.ts'

/** How the replies of one response are written. */
export type ReplyFormat = 'json' | 'base64' | 'resp2'

/** A reply as Upstash writes it: `{"result":…}` or `{"error":"…"}`. */
export function toJson(reply: Reply, format: ReplyFormat): string {
  if ('error' in reply) return `{"error":${JSON.stringify(reply.error)}}`
  return `{"result":${resultJson(reply.value, format, true)}}`
}

/**
 * Writes integers as JSON numbers with all their digits. In base64, an "OK" stays plain unless it
 * is inside a list, where @upstash/redis 1.39 decodes every text.
 */
function resultJson(value: unknown, format: ReplyFormat, isWhole: boolean): string {
  if (typeof value === 'string' || typeof value === 'number') return `${value}`
  if (Array.isArray(value)) {
    return `[${value.map((item) => resultJson(item, format, false)).join()}]`
  }
  const bytes = value instanceof Error ? Buffer.from(value.message) : value
  if (!Buffer.isBuffer(bytes)) return 'null'
  const plain = format !== 'base64' || (isWhole && isOk(bytes))
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
      // ioredis returns a status as a text. Readers of RESP treat the two alike.
      parts.push(Buffer.from('+OK\r\n'))
    } else {
      parts.push(Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n'))
    }
  }
}

const isOk = (bytes: Buffer) => bytes.length === 2 && bytes.toString('latin1') === 'OK'
