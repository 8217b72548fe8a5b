/** The option `debug`, which answers "is Redis really used?". */
import { describe, expect, test } from 'vitest'
import {
  createLimiter,
  header,
  ip,
  type LimiterOptions,
  memory,
  storeFromEnv,
} from '../../src/index.ts'
import { upstash } from '../../src/stores/upstash.ts'

const TOKEN = 'a-secret-token'

/** Answers each command as a Redis with a fresh key would. */
const fetch: typeof globalThis.fetch = async () => Response.json({ result: [1, 1, 60_000, 0] })

const REMOTE = {
  UPSTASH_REDIS_REST_URL: 'https://eu1-calm-1234.upstash.io',
  UPSTASH_REDIS_REST_TOKEN: TOKEN,
}

/** What the console is told while a limiter counts two requests. */
async function logOf(options: Partial<LimiterOptions>, env?: object): Promise<string[]> {
  const { info, warn } = console
  const lines: string[] = []
  console.info = (line: string) => lines.push(line)
  console.warn = () => {}
  try {
    const limiter = createLimiter({
      limit: 9,
      window: '1m',
      client: ip(),
      store: memory(),
      ...options,
    } as LimiterOptions)
    for (let n = 1; n <= 2; n++) {
      const request = new Request('https://example.com/', { headers: { 'x-api-key': TOKEN } })
      await limiter.check(request, { env, ip: `203.0.113.${n}` })
    }
  } finally {
    console.info = info
    console.warn = warn
  }
  return lines
}

describe('debug', () => {
  test('logs once which store, platform and client were chosen', async () => {
    const lines = await logOf({ debug: true })
    expect(lines).toEqual([
      expect.stringMatching(
        /^tidegate: store: memory of this isolate; platform: \w+; first client: 203\.0\.113\.1 \(policy default\)$/,
      ),
    ])
  })

  test('names the host of the store, and never its token or a client that is secret', async () => {
    const store = upstash({ url: 'https://eu1-calm-1234.upstash.io', token: TOKEN }, { fetch })
    const [line] = await logOf({ debug: true, store, client: header('x-api-key') })
    expect(line).toContain('store: upstash at eu1-calm-1234.upstash.io;')
    expect(line).toMatch(/first client: [\da-f]{32} /)
    expect(line).not.toContain(TOKEN)
  })

  test('names the variable in which the store was found', async () => {
    const stored = storeFromEnv(REMOTE)
    expect(stored.label).toBe('upstash at eu1-calm-1234.upstash.io, from UPSTASH_REDIS_REST_URL')
  })

  test('is switched on by the variable TIDEGATE_DEBUG', async () => {
    expect(await logOf({}, { TIDEGATE_DEBUG: '1' })).toHaveLength(1)
    expect(await logOf({}, { TIDEGATE_DEBUG: '0' })).toEqual([])
    expect(await logOf({}, {})).toEqual([])
  })

  test('is switched off by the option, whatever the variable', async () => {
    expect(await logOf({ debug: false }, { TIDEGATE_DEBUG: '1' })).toEqual([])
  })

  test('must be true or false', async () => {
    await expect(logOf({ debug: 'yes' as never })).rejects.toThrow(/^debug: .*true or false/)
  })
})
