/** The recipes of docs/hosts.md that serve requests here, run on their hosts. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { bundle, startWorker } from '../../scripts/workerd.ts'
import { freePort } from '../support/listen.ts'
import { blocksOf } from './support/docs-code.ts'
import { programs } from './support/programs.ts'
import { installRecipes } from './support/recipes.ts'
import { answerOf, askFrom, expectFiveBuckets } from './support/visitors.ts'

const peers = ['hono', 'express', 'fastify', 'ioredis']
const { folder, load, variables, visitorsOf, remove } = installRecipes(...peers)
const host = programs()
const stops: (() => unknown)[] = []
afterAll(async () => {
  for (const stop of stops) await stop()
  await host.stop()
  remove()
})

describe('five visitors get five buckets of their own', () => {
  test('on Express', async () => {
    const { app } = await load('hosts/express.ts')
    const server = app.listen(0, '127.0.0.1')
    stops.push(() => server.close())
    await once(server, 'listening')
    await expectFiveBuckets(visitorsOf('127.0.0'), (ip) => askFrom(server.address().port, ip))
  })

  test('on Fastify', async () => {
    const { app } = await load('hosts/fastify.ts')
    await app.listen({ port: 0, host: '127.0.0.1' })
    stops.push(() => app.close())
    await expectFiveBuckets(visitorsOf('127.0.0'), (ip) => askFrom(app.server.address().port, ip))
  })

  const RUNTIMES = {
    Bun: (port: number) => ({
      command: ['node_modules/.bin/bun', 'bun.ts'],
      env: { PORT: `${port}` },
    }),
    Deno: (port: number) => ({
      command: [
        'node_modules/.bin/deno',
        ...['serve', '--no-prompt', '--host', '127.0.0.1', '--port', `${port}`],
        ...['--allow-net', '--allow-env', 'deno.ts'],
      ],
      env: {},
    }),
  }
  for (const [name, programOf] of Object.entries(RUNTIMES)) {
    test(`on ${name}`, async () => {
      const port = await freePort()
      const { command, env } = programOf(port)
      const [program = '', ...args] = command
      await host.serve(resolve(program), args, /listening|started/i, {
        cwd: join(folder, 'hosts'),
        env: { ...variables, ...env },
      })
      await expectFiveBuckets(visitorsOf('127.0.0'), (ip) => askFrom(port, ip))
    })
  }

  test('in a Worker', async () => {
    const script = await bundle({ entryPoints: [join(folder, 'hosts/worker.ts')] })
    const objects = { TIDEGATE: 'TidegateObject' }
    const worker = await startWorker({ script, objects })
    stops.push(worker.stop)
    await expectFiveBuckets(visitorsOf('203.0.113'), async (ip) =>
      answerOf(await worker.fetch('/', { headers: { 'cf-connecting-ip': ip } })),
    )
  })

  test('by Hono on Node', async () => {
    const { serve } = await import('@hono/node-server')
    const { default: app } = await load('hosts/hono.ts')
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
    stops.push(() => server.close())
    if (!server.listening) await once(server, 'listening')
    const { port } = server.address() as { port: number }
    await expectFiveBuckets(visitorsOf('127.0.0'), (ip) => askFrom(port, ip, '/api/hello'))
  })
})

test('the page shows the files of the examples as they are', () => {
  const shown = blocksOf('docs/hosts.md').filter(({ name }) => name?.startsWith('examples/'))
  expect(shown.map(({ name }) => name?.split('/')[1])).toEqual([
    'sveltekit',
    'astro',
    'nitro',
    'nuxt',
  ])
  for (const { name, code } of shown) expect(code).toBe(readFileSync(`${name}`, 'utf8'))
})

test('a proxy that Express trusts tells the visitor’s address', async () => {
  const { app } = await load('hosts/express.ts')
  app.set('trust proxy', 1)
  const server = app.listen(0, '127.0.0.1')
  stops.push(() => server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}/`
  await expectFiveBuckets(visitorsOf('203.0.113'), async (ip) =>
    answerOf(await fetch(url, { headers: { 'x-forwarded-for': `192.0.2.1, ${ip}` } })),
  )
})

test('a proxy that Fastify trusts tells the visitor’s address', async () => {
  const recipe = readFileSync(join(folder, 'hosts/fastify.ts'), 'utf8')
  const behind = recipe.replace('fastify()', "fastify({ trustProxy: '127.0.0.0/8' })")
  writeFileSync(join(folder, 'hosts/fastify-behind.ts'), behind)
  const { app } = await load('hosts/fastify-behind.ts')
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  stops.push(() => app.close())
  await expectFiveBuckets(visitorsOf('203.0.113'), async (ip) =>
    answerOf(await fetch(url, { headers: { 'x-forwarded-for': `192.0.2.1, ${ip}` } })),
  )
})
