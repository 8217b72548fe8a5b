import { splitBy, type Wire } from './wire.ts'

/** What clients send before they are asked anything. */
const HANDSHAKE = ['HELLO', 'AUTH', 'SELECT', 'CLIENT', 'INFO', 'PING', 'QUIT']

/** Redis' own protocol, versions 2 and 3 (https://redis.io/docs/latest/develop/reference/protocol-spec). */
export const respWire: Wire = {
  calls: () => splitBy((bytes) => endOfValue(bytes, 0)),
  answers: () => splitBy((bytes) => endOfValue(bytes, 0)),
  isHandshake(call) {
    const [, , name = ''] = call.toString('latin1', 0, 64).split('\r\n')
    return HANDSHAKE.includes(name.toUpperCase())
  },
  half: (answer) => answer.subarray(0, Math.ceil(answer.length / 2)),
  forge(fault) {
    if (fault.kind !== 'error') throw new Error(`RESP has no fault ${fault.kind}: use error`)
    return Buffer.from(`-${fault.text}\r\n`)
  },
}

/** Where the value ends that begins at `at`; `undefined` if its end has not arrived. */
function endOfValue(bytes: Buffer, at: number): number | undefined {
  const line = bytes.indexOf('\r\n', at)
  if (line < 0) return undefined
  const next = line + 2
  const type = String.fromCharCode(bytes[at] ?? 0)
  const size = Number(bytes.toString('latin1', at + 1, line))
  if ('$!='.includes(type)) {
    const end = size < 0 ? next : next + size + 2
    return end <= bytes.length ? end : undefined
  }
  if (!'*~>%'.includes(type)) return next
  let end: number | undefined = next
  const values = type === '%' ? 2 * size : size
  for (let index = 0; index < values && end !== undefined; index++) end = endOfValue(bytes, end)
  return end
}
