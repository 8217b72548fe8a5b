import { KEY_LOCKING, PLAIN } from '../../src/stores/script.ts'

/**
 * What stands for Upstash's own server: a Redis that accepts the header of key locking. The header
 * is taken off the text, and the hash of the text with it becomes that of the text without.
 */
export function likeUpstash(body: string): string {
  const header = JSON.stringify(KEY_LOCKING.text.slice(0, -PLAIN.text.length)).slice(1, -1)
  return body.replaceAll(header, '').replaceAll(KEY_LOCKING.sha, PLAIN.sha)
}
