import type { Server, Socket } from 'node:net'

/**
 * The connections on which no request has arrived. Node counts them as active, so
 * `closeIdleConnections` leaves them open.
 */
export interface UnusedConnections {
  /** Call when a request arrives on the connection. */
  markUsed(socket: Socket): void
  /** Closes all unused connections. */
  destroyAll(): void
}

/** Tracks the unused connections of a server from now on. */
export function trackUnusedConnections(server: Server, tls: boolean): UnusedConnections {
  const unused = new Set<Socket>()
  /**
   * Connections during the TLS handshake, by their peer: after it, Node has another socket object.
   */
  const handshaking = new Map<string, Socket>()

  const add = (socket: Socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  }
  if (tls) {
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket)
      handshaking.set(peer, socket)
      socket.once('close', () => {
        if (handshaking.get(peer) === socket) handshaking.delete(peer)
      })
    })
    server.on('secureConnection', (socket: Socket) => {
      handshaking.delete(peerOf(socket))
      add(socket)
    })
  } else {
    server.on('connection', add)
  }
  return {
    markUsed: (socket) => unused.delete(socket),
    destroyAll() {
      for (const socket of [...unused, ...handshaking.values()]) socket.destroy()
    },
  }
}

const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`
