import { createHash } from 'node:crypto'

/** The header that only Upstash takes; a plain Redis rejects the script (peers.md §0, surprise 1). */
const HEADER = /^#![^\n]*\bflags=allow-key-locking\b[^\n]*\n/

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')

/**
 * Lets a plain Redis stand for an Upstash database: takes the header off the text of a script, and
 * remembers that its hash now means the text without. So a script is sent, cached and counted as
 * on Upstash, once as EVAL and then as EVALSHA.
 */
export function headerStripper(): (body: unknown) => unknown {
  const shas = new Map<string, string>()

  function command(parts: readonly unknown[]): readonly unknown[] {
    const [name, script, ...rest] = parts
    if (typeof script !== 'string') return parts
    const verb = String(name).toLowerCase()
    if (verb === 'evalsha') return [name, shas.get(script) ?? script, ...rest]
    if (verb !== 'eval' || !HEADER.test(script)) return parts
    const plain = script.replace(HEADER, '')
    shas.set(sha1(script), sha1(plain))
    return [name, plain, ...rest]
  }

  return (body) => {
    if (!Array.isArray(body)) return body
    return Array.isArray(body[0]) ? body.map(command) : command(body)
  }
}
