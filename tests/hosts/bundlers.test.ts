/** The installed package in one file with ioredis, as bundlers for servers make it. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { installPackage } from '../support/package.ts'

const installed = installPackage('ioredis')
afterAll(installed.remove)

const run = (...args: readonly string[]) => promisify(execFile)(process.execPath, args)

/** Checks once with the store that REDIS_URL names, and prints who decided. */
function program(folder: string, policy: string): string {
  const file = join(folder, `${policy}.mjs`)
  writeFileSync(
    file,
    `import { createLimiter } from 'tidegate'
    import { storeFromEnv } from 'tidegate/node'
    const limiter = createLimiter({
      name: '${policy}',
      limit: 5,
      window: '1m',
      client: () => ({ plain: 'a' }),
      store: () => storeFromEnv({ REDIS_URL: '${inject('redisUrl')}' }),
    })
    limiter.check(new Request('https://example.com/')).then(({ source }) => {
      console.log(source)
      process.exit()
    })`,
  )
  return file
}

/** How each makes one folder of a program; returns what to run. */
const BUNDLERS: Readonly<Record<string, (file: string) => Promise<string>>> = {
  'ncc, which is webpack': async (file) => {
    const out = `${file}-ncc`
    await run(resolve('node_modules/@vercel/ncc/dist/ncc/cli.js'), 'build', file, '-o', out, '-q')
    return join(out, 'index.mjs')
  },
  esbuild: async (file) => {
    const outfile = `${file}-esbuild.cjs`
    await build({ entryPoints: [file], outfile, bundle: true, platform: 'node', format: 'cjs' })
    return outfile
  },
}

describe('tidegate/node counts in the Redis that REDIS_URL names when it is bundled', () => {
  for (const [name, make] of Object.entries(BUNDLERS)) {
    test(`by ${name}`, async () => {
      const policy = `bundlers-${crypto.randomUUID()}`
      const bundled = await make(program(installed.folder, policy))
      expect((await run(bundled)).stdout).toBe('store\n')
      const redis = new Redis(inject('redisUrl'))
      expect(await redis.get(`ratelimit:${policy}:a`)).toBe('1')
      redis.disconnect()
    })
  }
})

test('tidegate/node without ioredis says what is missing, in the words of the runtime', async () => {
  const bare = installPackage()
  try {
    const { stdout, stderr } = await run(program(bare.folder, 'bare'))
    expect(stdout).toBe('local\n')
    expect(stderr).toMatch(
      /cannot load ioredis \(Cannot find package 'ioredis'.*npm install ioredis/,
    )
  } finally {
    bare.remove()
  }
})
