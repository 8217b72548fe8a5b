import { expect, test } from 'vitest'
import { SETTLE, TAKE_SETTLING } from '../../src/settling/redis-scripts.ts'
import { TAKE } from '../../src/stores/redis-protocol/script.ts'

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

for (const [name, forms] of Object.entries({ TAKE, TAKE_SETTLING, SETTLE })) {
  for (const [form, { text, sha }] of Object.entries(forms)) {
    test(`the hash of ${name}, ${form}, is that of its text`, async () => {
      expect(sha).toBe(await sha1(text))
    })
  }
}
