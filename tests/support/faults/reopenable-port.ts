import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { pause } from '../pause.ts'

/** A port that can be given up and taken again, and its connections. */
export interface ReopenablePort {
  readonly port: number
  readonly connections: ReadonlySet<Socket>
  /** Listens again. */
  open(): Promise<void>
  /** Stops listening, and resets all connections. */
  close(): Promise<void>
}

/**
 * Below the ports that systems give to outgoing connections, such as 32768 and up on Linux: one of
 * those would take a port that was given up.
 */
const PORTS = { from: 20_000, to: 32_000 }
/** How often to try to listen, on other ports or, later, on the same one. */
const TRIES = 50

export async function reopenablePort(
  onConnection: (socket: Socket) => void,
): Promise<ReopenablePort> {
  const connections = new Set<Socket>()
  const newServer = () =>
    createServer({ noDelay: true }, (socket) => {
      track(socket, connections)
      onConnection(socket)
    })
  let server = newServer()
  let port = 0

  /** Tries a port, or another one each time. */
  async function listen(nextPort: () => number): Promise<void> {
    for (let tries = 1; !server.listening; tries++) {
      server = newServer()
      port = nextPort()
      try {
        server.listen(port, '127.0.0.1')
        await once(server, 'listening')
      } catch (error) {
        if (tries === TRIES) throw error
        await pause(10)
      }
    }
  }

  await listen(() => PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from)))
  return {
    port,
    connections,
    open: () => listen(() => port),
    async close() {
      if (!server.listening) return
      const closed = [server, ...connections].map((open) => once(open, 'close'))
      server.close()
      for (const socket of connections) reset(socket)
      await Promise.all(closed)
    },
  }
}

/** Keeps a socket in a set for as long as it is open. */
export function track(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => sockets.delete(socket))
}

/** Resets a connection. After its own FIN, Node can only close it. */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
