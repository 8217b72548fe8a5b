import { createHash } from 'node:crypto'
import type { Command } from './command.ts'
import type { Reply } from './reply.ts'
import { withoutScriptFlag } from './script-header.ts'

/**
 * Upstash's flag in the first line of a script: https://upstash.com/docs/redis/features/key-locking
 */
const FLAG = 'allow-key-locking'

/** A Redis that runs this script accepts the flag. A replica runs it too. */
export const KEY_LOCKING_PROBE: Command = ['EVAL', `#!lua flags=no-writes,${FLAG}\nreturn 1`, '0']

/** If a hash was dropped, its client gets NOSCRIPT and sends the text again. */
const MAX_HASHES = 1000

const TEXT_COMMANDS: ReadonlySet<string> = new Set(['EVAL', 'EVAL_RO', 'SCRIPT|LOAD'])
const HASH_COMMANDS: ReadonlySet<string> = new Set(['EVALSHA', 'EVALSHA_RO', 'SCRIPT|EXISTS'])

/** Lets scripts with the flag run on a Redis that rejects it. */
export interface KeyLocking {
  /** Call when Redis ran `KEY_LOCKING_PROBE` on this connection: scripts then stay unchanged. */
  accepted(): void
  /** Call when the connection was closed. */
  disconnected(): void
  /** The command that Redis gets. */
  toRedis(command: Command): Command
  /**
   * The reply that the client gets: SCRIPT LOAD returns the hash of the text that the client sent.
   */
  toClient(reply: Reply, command: Command | undefined): Reply
}

/**
 * Removes the flag from the texts of scripts. A client hashes the text that it sends, so the hash
 * of every text with the flag is mapped to the hash of the text without it.
 */
export function keyLocking(): KeyLocking {
  /**
   * Until `KEY_LOCKING_PROBE` has run, texts are sent without the flag: every Redis accepts those.
   */
  let isAccepted = false
  const plainHashes = new Map<string, string>()

  function plainText(text: string | Buffer): string | Buffer {
    const plain = withoutScriptFlag(text, FLAG)
    if (plain === undefined) return text
    remember(sha1(text), sha1(plain))
    return plain
  }

  function plainHash(hash: string | Buffer): string | Buffer {
    const sent = `${hash}`.toLowerCase()
    const plain = plainHashes.get(sent)
    if (plain === undefined) return hash
    remember(sent, plain)
    return plain
  }

  /** The newest hash is the last entry of the map. */
  function remember(sent: string, plain: string): void {
    plainHashes.delete(sent)
    plainHashes.set(sent, plain)
    const [oldest] = plainHashes.keys()
    if (plainHashes.size > MAX_HASHES && oldest !== undefined) plainHashes.delete(oldest)
  }

  return {
    accepted() {
      isAccepted = true
    },
    disconnected() {
      isAccepted = false
    },
    toRedis(command) {
      if (isAccepted) return command
      const { form, at } = formOf(command)
      const [name, ...args] = command
      if (TEXT_COMMANDS.has(form)) {
        return [name, ...args.map((arg, index) => (index === at ? plainText(arg) : arg))]
      }
      if (!HASH_COMMANDS.has(form)) return command
      const last = form === 'SCRIPT|EXISTS' ? args.length : at
      return [
        name,
        ...args.map((arg, index) => (index >= at && index <= last ? plainHash(arg) : arg)),
      ]
    },
    toClient(reply, command) {
      const text = command?.[2]
      if (isAccepted || 'error' in reply) return reply
      if (command?.[0] !== 'SCRIPT' || text === undefined) return reply
      const isChanged =
        formOf(command).form === 'SCRIPT|LOAD' && withoutScriptFlag(text, FLAG) !== undefined
      return isChanged ? { value: Buffer.from(sha1(text)) } : reply
    },
  }
}

/** `EVAL` or `SCRIPT|LOAD`, and the index of the first argument that is a text or a hash. */
function formOf([name, first]: Command): { readonly form: string; readonly at: number } {
  return name === 'SCRIPT'
    ? { form: `SCRIPT|${first}`.toUpperCase(), at: 1 }
    : { form: name, at: 0 }
}

const sha1 = (text: string | Buffer) => createHash('sha1').update(text).digest('hex')
