import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { bundle } from '../../scripts/workerd.ts'

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly default: string } | string>>
}

const { exports }: Manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const entries = Object.entries(exports).flatMap(([subpath, target]) =>
  typeof target === 'string' ? [] : [[subpath.replace('.', 'tidegate'), target.default] as const],
)

/** What no host of the edge is sure to have. One file may ask for the process's variables. */
const FORBIDDEN: Readonly<Record<string, RegExp>> = {
  'a Node module':
    /\bnode:|\bfrom ?["'](?:fs|path|crypto|buffer|stream|http|https|net|tls|os|util)["']/,
  'require(': /\brequire\(/,
  Buffer: /\bBuffer\b/,
  process: /\bprocess\b(?!\?\.env)/,
  setImmediate: /\bsetImmediate\b/,
  __dirname: /\b__(?:dirname|filename)\b/,
  'eval(': /(?<![.\w])eval\(/,
  'new Function': /\bnew Function\b|(?<![.\w])Function\(/,
}

/** Peers, and modules of a host. */
const OPTIONAL = [
  '@upstash/redis',
  '@vercel/kv',
  'ioredis',
  '@opentelemetry/api',
  'cloudflare:workers',
]

/** The library's own code: what a peer brings is the peer's. */
const ofLibrary = (entry: string, minify = false) =>
  bundle({
    entryPoints: [resolve(entry)],
    minify,
    external: ['hono', ...OPTIONAL],
  })

function offences(code: string): string[] {
  return Object.entries(FORBIDDEN).flatMap(([name, pattern]) => (pattern.test(code) ? [name] : []))
}

describe('no bundle for the edge names what the edge has not', () => {
  for (const [name, file] of entries) {
    test(`${name}`, async () => {
      const found = offences(await ofLibrary(file))
      expect(found, `${name} names ${found.join(', ')}`).toEqual([])
    })
  }

  test('and each such name would be found', () => {
    const samples: Readonly<Record<string, string>> = {
      'a Node module': 'import fs from "fs"',
      'require(': 'require("x")',
      Buffer: 'Buffer.from("x")',
      process: 'process.env.X',
      setImmediate: 'setImmediate(f)',
      __dirname: '__dirname',
      'eval(': 'eval("1")',
      'new Function': 'new Function("return 1")',
    }
    for (const name of Object.keys(FORBIDDEN)) expect(offences(samples[name] ?? '')).toEqual([name])
    expect(offences('globalThis.process?.env')).toEqual([])
  })
})

describe('no bundle has a framework that its application does not use', () => {
  for (const [name, file] of entries) {
    if (name === 'tidegate/hono') continue
    test(`${name} has no trace of hono`, async () => {
      const code = await bundle({ entryPoints: [resolve(file)], external: OPTIONAL })
      expect(code).not.toMatch(/hono/i)
    })
  }
})

describe('no bundle has a sink that its application does not import', () => {
  const sinks = /openmetrics|tidegate\.refused|opentelemetry/i
  for (const [name, file] of entries) {
    const isSink = name === 'tidegate/metrics' || name === 'tidegate/otel'
    test(`${name} has ${isSink ? 'its own' : 'no'} trace of metrics`, async () => {
      const code = await bundle({ entryPoints: [resolve(file)], external: ['hono', ...OPTIONAL] })
      expect(sinks.test(code)).toBe(isSink)
    })
  }
})

/** Bytes after minify and gzip -9. To raise one is a decision, and shows in a diff. */
const BUDGETS = {
  'the middleware for Hono, and memory': [
    'export { memory } from "./dist/index.js"; export * from "./dist/adapters/hono.js"',
    11_465,
  ],
  'the same, and the store for Upstash': [
    'export { memory } from "./dist/index.js"; export * from "./dist/adapters/hono.js"; export { upstash } from "./dist/stores/upstash.js"',
    22_820,
  ],
  'tidegate, all of it': ['export * from "./dist/index.js"', 25_850],
  'tidegate/next, with the store from the environment': [
    'export { rateLimit } from "./dist/adapters/next.js"',
    23_730,
  ],
  'tidegate/worker, with its Durable Object and the stores from the environment': [
    'export { default, TidegateObject } from "./dist/worker.js"',
    29_250,
  ],
  'tidegate/settle': ['export * from "./dist/settling/settling.js"', 6_220],
  'tidegate/metrics, all of it': ['export * from "./dist/metrics/index.js"', 5_640],
  'tidegate/otel, with its collector': ['export * from "./dist/otel/open-telemetry.js"', 6_500],
  'tidegate/doctor, all of it': ['export * from "./dist/doctor/doctor.js"', 19_775],
} as const

describe('bundles stay within their budgets', () => {
  for (const [name, [contents, budget]] of Object.entries(BUDGETS)) {
    test(`${name}: ${budget} bytes`, async () => {
      const stdin = { contents, resolveDir: process.cwd() }
      const code = await bundle({ stdin, minify: true, external: ['hono', ...OPTIONAL] })
      const bytes = gzipSync(code, { level: 9 }).length
      console.log(`${name}: ${bytes} bytes`)
      expect(bytes).toBeLessThanOrEqual(budget)
    })
  }
})
