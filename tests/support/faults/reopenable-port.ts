import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { listenLocally } from '../listen.ts'
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

/** How often to try to listen on a port that another program may use by now. */
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
  const port = await listenLocally(server)

  return {
    port,
    connections,
    async open() {
      for (let tries = 1; !server.listening; tries++) {
        server = newServer()
        try {
          server.listen(port, '127.0.0.1')
          await once(server, 'listening')
        } catch (error) {
          if (tries === TRIES) throw error
          await pause(10)
        }
      }
    },
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
