import { describeValue } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import type { Command } from './command.ts'

/**
 * Says why a command is refused, or nothing. One that opens a stream of events has a connection of
 * its own; all others share one.
 */
export type Allow = (command: Command, connection?: 'shared' | 'stream') => string | undefined

/**
 * The commands that rate limiting needs. Tidegate's stores send EVAL, EVALSHA and INCRBY. Other
 * limiters also send SCRIPT LOAD, or GET, SET, INCR and so on if they use no scripts. EXISTS, TTL,
 * PTTL and DEL are for people who read or delete a count, PING and TIME for probes.
 */
export const DEFAULTS: readonly string[] = [
  ...['EVAL', 'EVALSHA', 'SCRIPT|LOAD'],
  ...['GET', 'SET', 'INCR', 'INCRBY', 'DECR', 'DECRBY', 'EXPIRE', 'PEXPIRE'],
  ...['EXISTS', 'TTL', 'PTTL', 'DEL'],
  ...['PING', 'TIME'],
]

/** What would change or block the one connection that all requests share: `all` excepts it. */
const NEVER: ReadonlySet<string> = new Set([
  ...['MULTI', 'EXEC', 'DISCARD', 'WATCH', 'UNWATCH'],
  ...['SSUBSCRIBE', 'UNSUBSCRIBE', 'PUNSUBSCRIBE', 'SUNSUBSCRIBE'],
  ...['MONITOR', 'SYNC', 'PSYNC', 'REPLCONF', 'SCRIPT|DEBUG'],
  ...['AUTH', 'HELLO', 'RESET', 'QUIT', 'CLIENT', 'SELECT', 'ASKING', 'READONLY', 'READWRITE'],
  ...['BLPOP', 'BRPOP', 'BRPOPLPUSH', 'BLMOVE', 'BLMOVEM', 'BLMPOP', 'BZPOPMIN', 'BZPOPMAX'],
  ...['BZMPOP', 'WAIT', 'WAITAOF'],
])

/** What may open a stream of events, and nothing else. */
const STREAMS: ReadonlySet<string> = new Set(['SUBSCRIBE', 'PSUBSCRIBE'])

/** Reading a stream blocks only when asked to. */
const MAY_BLOCK: ReadonlySet<string> = new Set(['XREAD', 'XREADGROUP'])

/** Commands that always need a subcommand. https://redis.io/docs/latest/commands/ */
const CONTAINERS: ReadonlySet<string> = new Set([
  ...['ACL', 'CLIENT', 'CLUSTER', 'COMMAND', 'COMMANDLOG', 'CONFIG', 'FUNCTION', 'HOTKEYS'],
  ...['LATENCY', 'MEMORY', 'MODULE', 'OBJECT', 'PUBSUB', 'SCRIPT', 'SENTINEL', 'SLOWLOG'],
  ...['XGROUP', 'XINFO', 'DEBUG', 'FT.CONFIG', 'FT.CURSOR', 'JSON.DEBUG'],
])

/** In characters. The first argument may be a key or a value of megabytes. */
const LONGEST_FORM = 100

/** A name as Redis' ACL writes it: `scan`, `config|get`, `json.get`. */
const NAME = /^[a-z][a-z\d._-]*(\|[a-z\d._-]+)?$/i

/**
 * The default commands and `more`: names, `container|subcommand`, or `['all']`. Throws a
 * `ConfigError` for what is no name, and for a command that could only break the gateway.
 */
export function allowList(more: readonly string[] = []): Allow {
  const all = more.includes('all')
  for (const name of more) {
    const want = "names of commands such as 'scan,config|get', or all"
    if (!NAME.test(name)) throw new ConfigError('--allow', describeValue(name), want)
    if (isNever(name.toUpperCase())) {
      throw new ConfigError(
        '--allow',
        describeValue(name),
        'no command of a connection: all requests share one',
      )
    }
  }
  const names = new Set([...DEFAULTS, ...more.map((name) => name.toUpperCase())])
  const always = new Set(DEFAULTS)

  return ([name, ...args], connection = 'shared') => {
    if (always.has(name)) return undefined
    const form = `${name}|${args[0] ?? ''}`.slice(0, LONGEST_FORM).toUpperCase()
    if (always.has(form)) return undefined
    const called = CONTAINERS.has(name) && args.length > 0 ? form.toLowerCase() : name
    const refused = `ERR Command is not available: '${shown(called)}'.`
    if (STREAMS.has(name) && connection === 'shared') {
      return `${refused} Use POST /${name.toLowerCase()}/<channel> with Accept: text/event-stream`
    }
    if (isNever(form) || (MAY_BLOCK.has(name) && blocks(args))) {
      return `${refused} Requests share one connection, which it would change or block`
    }
    if (all || names.has(name) || names.has(form)) return undefined
    return `${refused} ${remedyFor(called)}`
  }
}

/** A command or `CONTAINER|SUBCOMMAND`. ioredis mistakes what every object has for QUIT. */
function isNever(form: string): boolean {
  const [name = ''] = form.split('|')
  return NEVER.has(name) || NEVER.has(form) || name.toLowerCase() in {}
}

/** Behind STREAMS stand keys, which may be called so. */
function blocks(args: readonly (string | Buffer)[]): boolean {
  const words = args.map((arg) => `${arg}`.toUpperCase())
  return words.slice(0, words.lastIndexOf('STREAMS')).includes('BLOCK')
}

/** What a client calls a command may be a key that slipped: it goes back to nobody but the client. */
const shown = (name: string) => name.slice(0, 40)

/**
 * The flag that passes a command on, and nothing else, as one pastes it into a shell, to which a bare
 * `|` is a pipe. The name of a container would pass all of its subcommands on.
 */
function remedyFor(called: string): string {
  if (CONTAINERS.has(called)) return 'Its subcommand is missing'
  if (!NAME.test(called) || called === 'ALL') return 'It is not the name of a command'
  const name = called.toLowerCase()
  const flag = name.includes('|') ? `--allow '${name}'` : `--allow ${name}`
  return `The gateway passes it on when started with ${flag}`
}
