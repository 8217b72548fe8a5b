import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Context, Hono } from 'hono'
import type { Clocks } from './clocks.ts'
import type { Kind } from './request.ts'
import { restModel } from './rest.ts'

const ok = (c: Context) => c.text('ok')

/** The kinds of requests through Tidegate, whose modules are in `folder`: `dist` or `src`. */
export async function tidegate(folder: string, clocks: Clocks): Promise<readonly Kind[]> {
  const root = resolve(folder)
  const extension = existsSync(join(root, 'index.ts')) ? 'ts' : 'js'
  const load = (name: string) => import(pathToFileURL(join(root, `${name}.${extension}`)).href)
  const { rateLimit }: typeof import('../../src/adapters/hono.ts') = await load('adapters/hono')
  const { memory }: typeof import('../../src/stores/memory.ts') = await load('stores/memory')
  const { ip }: typeof import('../../src/client/ip.ts') = await load('client/ip')
  const { upstash }: typeof import('../../src/stores/upstash.ts') = await load('stores/upstash')

  function kind(
    name: string,
    { limit, lease, inMemory }: { limit: number; lease?: boolean; inMemory?: boolean },
    expected: Pick<Kind, 'warmUp' | 'status' | 'trips'>,
  ): Kind {
    const { fetch, requests } = restModel(clocks.now)
    const store = inMemory
      ? memory()
      : upstash({ url: 'https://trace.upstash.io', token: 'token' }, { fetch })
    const app = new Hono()
    const client = ip({ platform: 'cloudflare' })
    app.use(rateLimit({ limit, window: '1m', store, client, lease }))
    app.get('/', ok)
    return { name, folders: [`${pathToFileURL(root).href}/`], app, sent: requests, ...expected }
  }

  const warmUp = { requests: 20, gapMs: 100 }
  const hot = { requests: 200, gapMs: 20 }
  return [
    kind('memory()', { limit: 100, inMemory: true }, { warmUp, status: 200, trips: 0 }),
    kind('upstash(), window open', { limit: 100 }, { warmUp, status: 200, trips: 1 }),
    kind('upstash(), client exhausted', { limit: 10 }, { warmUp, status: 429, trips: 0 }),
    kind(
      'upstash(), lease held',
      { limit: 10_000, lease: true },
      { warmUp: hot, status: 200, trips: 0 },
    ),
  ]
}
