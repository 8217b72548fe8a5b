import { connect, type Socket } from 'node:net'
import { httpWire } from '../../../tests/support/faults/http-wire.ts'

/** Connections that are kept open and used again, without what Node's own client does besides. */
export interface Connections {
  /** Sends a GET. Resolves to the head of the answer, or to nothing if none came in time. */
  get(url: string, field: string): Promise<string | undefined>
  stop(): void
}

export function keptConnections(patienceMs: number): Connections {
  const idle = new Map<string, Socket[]>()
  const open = new Set<Socket>()

  function connection(host: string): Socket {
    const kept = idle.get(host)?.pop()
    if (kept) return kept
    const { hostname, port } = new URL(`http://${host}`)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      open.delete(socket)
      const sockets = idle.get(host) ?? []
      if (sockets.includes(socket)) sockets.splice(sockets.indexOf(socket), 1)
    })
    return socket
  }

  return {
    get(url, field) {
      const host = url.slice('http://'.length)
      const socket = connection(host)
      const split = httpWire.answers()
      return new Promise((resolve) => {
        const timer = setTimeout(() => socket.destroy(), patienceMs)
        const finish = (head?: string) => {
          clearTimeout(timer)
          socket.off('data', read)
          socket.off('close', end)
          resolve(head)
        }
        const end = () => finish()
        const read = (bytes: Buffer) => {
          const [answer] = split(bytes)
          if (answer === undefined) return
          const head = answer.toString('latin1', 0, answer.indexOf('\r\n\r\n'))
          const sockets = idle.get(host) ?? []
          sockets.push(socket)
          idle.set(host, sockets)
          finish(head)
        }
        socket.on('data', read)
        socket.on('close', end)
        socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\n${field}\r\n\r\n`)
      })
    },
    stop() {
      for (const socket of open) socket.destroy()
    },
  }
}
