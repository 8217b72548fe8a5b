import { readFileSync } from 'node:fs'
import { Queue } from '@upstash/queue'
import { Redis } from '@upstash/redis'
import { afterAll, describe, expect, inject, test, vi } from 'vitest'
import { type GatewayServer, startGateway } from '../support/gateway-server.ts'
import { CONSUMERS } from './support/consumers.ts'
import { RATELIMIT } from './support/consumers-ratelimit.ts'

/** The commands that each consumer needs behind --allow, as docs/gateway.md lists them. */
const needs = new Map(
  [...readFileSync('docs/gateway.md', 'utf8').matchAll(/^\| (.+?) \| (.+?) \|$/gm)].map(
    ([, name = '', need = '']) => {
      // In a Markdown table, `|` is escaped also in code.
      const [, commands] = /^`--allow '?([\w,|]+)'?`/.exec(need.replaceAll('\\|', '|')) ?? []
      return [name, commands?.split(',') ?? []]
    },
  ),
)

const gateways = new Map<string, Promise<GatewayServer>>()
afterAll(async () => {
  for (const gateway of gateways.values()) await (await gateway).stop()
})

/** A gateway that allows these commands besides the default ones. */
function gatewayWith(allow: readonly string[], database: number): Promise<GatewayServer> {
  const name = `${allow} ${database}`
  const known =
    gateways.get(name) ?? startGateway(`${inject('redisUrl')}/${database}`, { allow: [...allow] })
  gateways.set(name, known)
  return known
}

const gatewaysWith = (allow: readonly string[]) =>
  Promise.all([gatewayWith(allow, 0), gatewayWith(allow, 1)])

for (const { name, checks } of [...RATELIMIT, ...CONSUMERS]) {
  const allow = needs.get(name) ?? []

  describe(`${name}, with ${allow.length > 0 ? `--allow ${allow}` : 'the default list'}`, () => {
    test('is named in docs/gateway.md', () => {
      expect([...needs.keys()]).toContain(name)
    })

    for (const [what, check] of Object.entries(checks)) {
      test(`passes: ${what}`, async () => {
        await check(...(await gatewaysWith(allow)))
      })
    }

    for (const command of allow) {
      test(`needs ${command}`, async () => {
        const two = await gatewaysWith(allow.filter((other) => other !== command))
        const failed: unknown[] = []
        // Some consumers log a refused command, and go on.
        vi.spyOn(console, 'warn').mockImplementation(() => {})
        vi.spyOn(console, 'error').mockImplementation(() => {})
        for (const check of Object.values(checks)) {
          await check(...two).catch((error) => failed.push(error))
        }
        vi.restoreAllMocks()
        expect(failed).not.toEqual([])
      })
    }
  })
}

test('no list passes XREADGROUP … BLOCK, with which @upstash/queue waits for a message', async () => {
  const [{ url, token }] = await gatewaysWith(['all'])
  const redis = new Redis({ url, token, enableTelemetry: false })
  const queue = new Queue({ redis: redis as never, queueName: crypto.randomUUID() })
  await expect(queue.receiveMessage(1000)).rejects.toThrow('the connection that all requests share')
})
