import { describe, expect, test } from 'vitest'
import { drilled } from './support/drilled.ts'

describe('a deployment', () => {
  test('that redirects is not followed, and gets one request', async () => {
    const { bad, of, received } = await drilled({
      answerFirst(_, response) {
        response.writeHead(308, { location: 'https://www.example.com/api?token=hush' }).end()
        return true
      },
    })
    expect(received).toHaveLength(1)
    expect(bad).toEqual(['reachability: failure', 'coverage: not examined'])
    expect(of('reachability')?.says).toContain('redirects (308) to https://www.example.com/api.')
  })

  test('that fails is warned of', async () => {
    const { bad, of } = await drilled({
      answer(_, response) {
        response.writeHead(502).end()
        return true
      },
    })
    expect(bad).toEqual([
      'reachability: warning',
      'limit: not examined',
      'retry-after: not examined',
      'next-window: not examined',
    ])
    expect(of('reachability')?.says).toContain(
      '10 of 15 responses are neither a success nor a refusal (10 × 502)',
    )
  })

  test('that never ends a response is not waited for', async () => {
    const start = performance.now()
    let streams = 0
    const { bad } = await drilled({
      answer(_, response) {
        if (++streams > 1) return false
        response.writeHead(200, { 'content-type': 'application/json' }).write('{')
        return true
      },
    })
    expect(streams).toBeGreaterThan(1)
    expect(bad).toEqual([])
    expect(performance.now() - start).toBeLessThan(5000)
  })

  test('that never ends a refusal is read up to 64 KiB', async () => {
    const { bad, of } = await drilled(
      {
        fields: () => ({}),
        answerFirst({ socket }, response) {
          const end = response.end.bind(response)
          response.end = (text: unknown) => {
            if (response.statusCode !== 429) return end(text)
            response.write(`${text}`.padEnd(100_000))
            socket.setTimeout(0)
            return response
          }
          return false
        },
      },
      { options: { timeout: '1s', maxWait: '1s' } },
    )
    expect(bad).toEqual([
      'ratelimit: warning',
      'retry-after: not examined',
      'next-window: not examined',
    ])
    expect(of('problem')?.level).toBe('ok')
  })

  test('that stops answering is not looked for at another address of its host', async () => {
    let requests = 0
    const { of } = await drilled(
      { answerFirst: () => ++requests > 3 },
      { addresses: ['127.0.0.1', '127.0.0.9'], options: { timeout: '100ms' } },
    )
    expect(of('reachability')?.says).toContain('no response within 100 ms')
  })

  test('that does not answer is given up after two requests', async () => {
    const { bad, of, received } = await drilled(
      { answerFirst: () => true },
      { options: { timeout: '100ms' } },
    )
    expect(bad).toEqual(['reachability: failure', 'coverage: not examined', 'errors: warning'])
    expect(of('reachability')?.says).toContain('no response within 100 ms')
    expect(received).toHaveLength(2)
  })

  test('that closes the connection of a forged request is no failure', async () => {
    const { bad, of } = await drilled({
      answerFirst: ({ headers, socket }) =>
        headers['cf-connecting-ip'] !== undefined && socket.destroy().destroyed,
    })
    expect(bad).toEqual([])
    expect(of('forged-address')?.says).toContain(
      'Did not reach the handler: CF-Connecting-IP (no response).',
    )
  })

  test('that closes connections is asked again, a few times', async () => {
    let requests = 0
    const once = await drilled({
      answerFirst: ({ socket }) => ++requests === 3 && socket.destroy().destroyed,
    })
    expect(once.bad).toEqual(['errors: warning'])
    expect(once.of('errors')?.says).toContain('1 requests got no response')
    const often = await drilled({
      answerFirst: ({ socket }) => ++requests % 2 === 0 && socket.destroy().destroyed,
    })
    expect(often.bad).toEqual([
      'reachability: failure',
      'coverage: not examined',
      'errors: warning',
    ])
    expect(often.received.length).toBeLessThan(15)
  })

  test('is found at the second address of its host, and from then on there alone', async () => {
    const { bad } = await drilled({}, { addresses: ['127.0.0.9', '127.0.0.1'] })
    expect(bad).toEqual([])
  })
})
