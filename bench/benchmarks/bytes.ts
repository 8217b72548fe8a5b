/**
 * What a limiter adds to a bundle: esbuild, minified, as a module for the browser, then gzip at its
 * best, as peers.md §1.3 did it. Hono is not counted, and where the table says so no client of a
 * store is.
 */

import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { premise } from '../measure/premise.ts'
import type { Outcome } from '../outcome.ts'

interface Bundle {
  readonly code: string
  readonly external?: readonly string[]
  readonly ours?: boolean
  /** What the code does only if it is what it is meant to be: a text that minifying leaves alone. */
  readonly holds: string
}

const HONO = ['hono', 'hono/*']
const CLIENT = ['@upstash/redis', '@upstash/redis/*']

const MEMORY = 'Tidegate: Hono + memory'
const UPSTASH = 'Tidegate: Hono + memory + upstash, no client needed'
const RIVAL_MEMORY = 'hono-rate-limiter: Hono + memory'
const RIVAL_UPSTASH = '@upstash/ratelimit 2.2.0, client excluded'

const BUNDLES: Readonly<Record<string, Bundle>> = {
  [MEMORY]: {
    code: `export { memory } from 'tidegate'; export { rateLimit } from 'tidegate/hono'`,
    external: HONO,
    ours: true,
    holds: 'RateLimit-Policy',
  },
  [UPSTASH]: {
    code: `export { memory } from 'tidegate'; export { rateLimit } from 'tidegate/hono'
      export { upstash } from 'tidegate/upstash'`,
    external: [...HONO, ...CLIENT],
    ours: true,
    holds: 'PEXPIRE',
  },
  'Tidegate: createLimiter + upstash': {
    code: `export { createLimiter } from 'tidegate'; export { upstash } from 'tidegate/upstash'`,
    ours: true,
    holds: 'PEXPIRE',
  },
  'Tidegate: everything in tidegate and tidegate/upstash': {
    code: `export * from 'tidegate'; export * from 'tidegate/upstash'`,
    ours: true,
    holds: 'PEXPIRE',
  },
  [RIVAL_MEMORY]: {
    code: `export { rateLimiter } from 'hono-rate-limiter'`,
    external: HONO,
    holds: 'RateLimit-Policy',
  },
  'hono-rate-limiter: Hono + RedisStore + @upstash/redis': {
    code: `export { rateLimiter, RedisStore } from 'hono-rate-limiter'
      export { Redis } from '@upstash/redis/cloudflare'`,
    external: HONO,
    holds: 'PEXPIRE',
  },
  '@upstash/ratelimit 2.0.8, client excluded': {
    code: `export { Ratelimit } from 'upstash-ratelimit-2.0.8'`,
    external: CLIENT,
    holds: 'PEXPIRE',
  },
  [RIVAL_UPSTASH]: {
    code: `export { Ratelimit } from 'upstash-ratelimit-2.2.0'`,
    external: CLIENT,
    holds: 'PEXPIRE',
  },
  '@upstash/ratelimit 2.2.0 + @upstash/redis': {
    code: `export { Ratelimit } from 'upstash-ratelimit-2.2.0'
      export { Redis } from '@upstash/redis/cloudflare'`,
    holds: 'PEXPIRE',
  },
  'rate-limiter-flexible 11.4, ioredis excluded': {
    code: `export { RateLimiterRedis } from 'rate-limiter-flexible'`,
    external: ['ioredis', 'crypto', 'cluster'],
    holds: 'pexpire',
  },
}

export async function bytes(): Promise<Outcome> {
  const figures: Record<string, Size> = {}
  for (const [name, bundle] of Object.entries(BUNDLES)) figures[name] = await sizeOf(name, bundle)
  const kB = (name: string) => (figures[name]?.['gzip bytes'] ?? Number.NaN) / 1000
  const row = (measure: string, ours: string, theirs: string, most: number) => ({
    measure: `gzip bytes: ${measure}`,
    rivals: `${kB(theirs).toFixed(2)} kB ${theirs}`,
    target: `≤ ${most} kB`,
    tidegate: `${kB(ours).toFixed(2)} kB`,
    met: kB(ours) <= most,
  })
  return {
    figures,
    rows: [
      row('Hono middleware + memory', MEMORY, RIVAL_MEMORY, 4.5),
      row('the same + upstash store, client excluded', UPSTASH, RIVAL_UPSTASH, 5.5),
    ],
  }
}

type Size = Record<'minified bytes' | 'gzip bytes', number>

async function sizeOf(name: string, { code, external = [], holds }: Bundle): Promise<Size> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: fileURLToPath(new URL('..', import.meta.url)) },
    external: [...external],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'error',
  })
  const [file] = outputFiles
  premise(file?.text.includes(holds) === true, `the bundle of ${name} holds its limiter`)
  return {
    'minified bytes': file.contents.length,
    'gzip bytes': gzipSync(file.contents, { level: 9 }).length,
  }
}
