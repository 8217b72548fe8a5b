import { connect, createServer, type Socket } from 'node:net'

/**
 * A TCP port that passes everything on to another one, each byte `ms` later in each direction: a
 * server that is twice `ms` away, the same for HTTP and for Redis' own protocol.
 */
export function relay(port: number, ms: number): Promise<number> {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true })
    late(near, far, ms)
    late(far, near, ms)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('no port'))
      else resolve(address.port)
    })
  })
}

/** Timers of one length fire in the order in which they were set, so the bytes stay in order. */
function late(from: Socket, to: Socket, ms: number): void {
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), ms))
  from.on('close', () => setTimeout(() => to.destroy(), ms))
  from.on('error', () => to.destroy())
}
