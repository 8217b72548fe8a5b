import { createServer, type IncomingHttpHeaders } from 'node:http'
import { expect, test } from 'vitest'
import { upstash } from '../../src/stores/upstash.ts'
import { listenLocally } from '../support/listen.ts'

test('a store that redirects does not get the token sent to another server', async () => {
  const asked: IncomingHttpHeaders[] = []
  const other = createServer(({ headers }, response) => {
    asked.push(headers)
    response.end('{"result":[1,1,60000,0]}')
  })
  const to = `http://127.0.0.1:${await listenLocally(other)}/`
  let redirected = 0
  const store = createServer((_, response) => {
    redirected++
    response.writeHead(307, { location: to }).end()
  })
  const url = `http://127.0.0.1:${await listenLocally(store)}`
  try {
    const demand = { policy: '', client: 'a', limit: 1, window: 60_000, cost: 1 }
    const taken = upstash({ url, token: 'the-token' }).take([demand])
    await expect(taken).rejects.toMatchObject({ code: 'unreachable' })
    expect(redirected).toBe(1)
    expect(asked).toEqual([])
  } finally {
    for (const server of [other, store]) server.close().closeAllConnections()
  }
})
