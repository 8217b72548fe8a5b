import { connect, createServer, type Server, type Socket } from 'node:net'
import { listenLocally } from './listen.ts'
import type { Address } from './redis-cluster.ts'

/**
 * Stands before servers and can lose an answer: the command arrives and is run, then its connection
 * is cut, so that the client cannot know whether the command ran.
 */
export function answerLoser() {
  let text: string | undefined
  const proxies: Server[] = []
  const open = new Set<Socket>()

  return {
    /** Where clients find the server from now on. */
    async standBefore({ host, port }: Address): Promise<Address> {
      const proxy = createServer((client) => {
        const server = connect(port, host)
        const end = () => {
          for (const socket of [client, server]) {
            socket.destroy()
            open.delete(socket)
          }
        }
        for (const socket of [client, server]) {
          open.add(socket)
          socket.setNoDelay().on('error', end).on('close', end)
        }
        let losing = false
        client.on('data', (data) => {
          if (text !== undefined && data.includes(text)) {
            text = undefined
            losing = true
          }
          server.write(data)
        })
        server.on('data', (data) => (losing ? end() : client.write(data)))
      })
      proxies.push(proxy)
      return { host, port: await listenLocally(proxy) }
    },
    /** The answer to the next command that holds `part` is lost. */
    loseAnswer(part: string) {
      text = part
    },
    stop() {
      for (const proxy of proxies) proxy.close()
      for (const socket of open) socket.destroy()
    },
  }
}
