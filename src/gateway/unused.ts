import type { Server, Socket } from 'node:net'

/** Connections that brought no request yet, which Node takes for busy ones. */
export interface Unused {
  /** Of this one a request came. */
  delete(socket: Socket): void
  /** Ends them all. */
  destroy(): void
}

export function unusedOf(server: Server, tls: boolean): Unused {
  const unused = new Set<Socket>()
  /** Those whose handshake goes on, by their peer: after it they are another object. */
  const greeting = new Map<string, Socket>()

  const add = (socket: Socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  }
  if (tls) {
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket)
      greeting.set(peer, socket)
      socket.once('close', () => {
        if (greeting.get(peer) === socket) greeting.delete(peer)
      })
    })
    server.on('secureConnection', (socket: Socket) => {
      greeting.delete(peerOf(socket))
      add(socket)
    })
  } else {
    server.on('connection', add)
  }
  return {
    delete: (socket) => unused.delete(socket),
    destroy() {
      for (const socket of [...unused, ...greeting.values()]) socket.destroy()
    },
  }
}

const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`
