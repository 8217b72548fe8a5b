import { STATUS_CODES } from 'node:http'
import { splitBy, type Wire } from './wire.ts'

const HEAD_END = '\r\n\r\n'

/** HTTP/1.1 as clients of the REST protocol use it: bodies have a length, or are chunked. */
export const httpWire: Wire = {
  calls: () => splitBy(endOfMessage),
  answers: () => splitBy(endOfMessage),
  isHandshake: () => false,
  half(answer) {
    const head = answer.indexOf(HEAD_END) + HEAD_END.length
    return answer.subarray(0, head + Math.floor((answer.length - head) / 2))
  },
  forge(fault) {
    if (fault.kind !== 'status') throw new Error(`HTTP has no fault ${fault.kind}: use status`)
    const { status, body = '', headers = {} } = fault
    const fields = { 'content-length': `${Buffer.byteLength(body)}`, ...headers }
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
    const first = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`
    return Buffer.from([first, ...lines].join('\r\n') + HEAD_END + body)
  },
}

function endOfMessage(bytes: Buffer): number | undefined {
  const at = bytes.indexOf(HEAD_END)
  if (at < 0) return undefined
  const start = at + HEAD_END.length
  const head = bytes.toString('latin1', 0, start)
  if (/^transfer-encoding:.*chunked/im.test(head)) return endOfChunks(bytes, start)
  const end = start + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
  return end <= bytes.length ? end : undefined
}

/** The last chunk is empty. Trailers are not used here. */
function endOfChunks(bytes: Buffer, start: number): number | undefined {
  for (let at = start; ; ) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    at = line + 2 + size + 2
    if (at > bytes.length) return undefined
    if (size === 0) return at
  }
}
