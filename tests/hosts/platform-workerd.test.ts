import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bundle, startWorker } from '../../scripts/workerd.ts'

const script = await bundle({
  stdin: {
    resolveDir: resolve('.'),
    contents: `
      import { detectPlatform } from './src/environment.ts'
      export default {
        fetch: () => Response.json({ userAgent: globalThis.navigator?.userAgent, platform: detectPlatform() }),
      }`,
  },
})

describe('a Worker knows that it is one', () => {
  /** `navigator` is there from 2022-03-21 on, Node's `process` by itself from 2026-08-04 on. */
  const dates: Readonly<Record<string, string | undefined>> = {
    '2021-11-02': undefined,
    '2022-03-20': undefined,
    '2022-03-21': 'Cloudflare-Workers',
    '2026-08-04': 'Cloudflare-Workers',
  }
  for (const [compatibilityDate, userAgent] of Object.entries(dates)) {
    test(`at the compatibility date ${compatibilityDate}`, async () => {
      const worker = await startWorker({ script, compatibilityDate })
      const answer = worker.fetch('/').then((response) => response.json())
      const expected = { platform: 'cloudflare', ...(userAgent && { userAgent }) }
      expect(await answer.finally(worker.stop)).toEqual(expected)
    })
  }
})
