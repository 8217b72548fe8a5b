import { describeValue } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import type { Command } from './command.ts'

/**
 * Returns the reason why a command is refused, or `undefined` if it is allowed. A subscription has
 * its own connection. All other commands share a connection.
 */
export type CommandFilter = (
  command: Command,
  connection?: 'shared' | 'subscription',
) => string | undefined

/**
 * The commands that rate limiting needs. Tidegate's stores send EVAL, EVALSHA and INCRBY. Other
 * limiters also send SCRIPT LOAD, or GET, SET, INCR and so on if they use no scripts. EXISTS, TTL,
 * PTTL and DEL are for people who read or delete a count, PING and TIME for probes.
 */
export const DEFAULT_COMMANDS: readonly string[] = [
  ...['EVAL', 'EVALSHA', 'SCRIPT|LOAD'],
  ...['GET', 'SET', 'INCR', 'INCRBY', 'DECR', 'DECRBY', 'EXPIRE', 'PEXPIRE'],
  ...['EXISTS', 'TTL', 'PTTL', 'DEL'],
  ...['PING', 'TIME'],
]

/** Commands that would change or block the shared connection. They are refused also with `all`. */
const CONNECTION_COMMANDS: ReadonlySet<string> = new Set([
  ...['MULTI', 'EXEC', 'DISCARD', 'WATCH', 'UNWATCH'],
  ...['SSUBSCRIBE', 'UNSUBSCRIBE', 'PUNSUBSCRIBE', 'SUNSUBSCRIBE'],
  ...['MONITOR', 'SYNC', 'PSYNC', 'REPLCONF', 'SCRIPT|DEBUG'],
  ...['AUTH', 'HELLO', 'RESET', 'QUIT', 'CLIENT', 'SELECT', 'ASKING', 'READONLY', 'READWRITE'],
  ...['BLPOP', 'BRPOP', 'BRPOPLPUSH', 'BLMOVE', 'BLMOVEM', 'BLMPOP', 'BZPOPMIN', 'BZPOPMAX'],
  ...['BZMPOP', 'WAIT', 'WAITAOF'],
])

/** Commands that may open a stream of events, and are refused on the shared connection. */
const SUBSCRIBE_COMMANDS: ReadonlySet<string> = new Set(['SUBSCRIBE', 'PSUBSCRIBE'])

/** Commands that block only with the option BLOCK. */
const BLOCK_OPTION_COMMANDS: ReadonlySet<string> = new Set(['XREAD', 'XREADGROUP'])

/** Commands that always need a subcommand. https://redis.io/docs/latest/commands/ */
const CONTAINER_COMMANDS: ReadonlySet<string> = new Set([
  ...['ACL', 'CLIENT', 'CLUSTER', 'COMMAND', 'COMMANDLOG', 'CONFIG', 'FUNCTION', 'HOTKEYS'],
  ...['LATENCY', 'MEMORY', 'MODULE', 'OBJECT', 'PUBSUB', 'SCRIPT', 'SENTINEL', 'SLOWLOG'],
  ...['XGROUP', 'XINFO', 'DEBUG', 'FT.CONFIG', 'FT.CURSOR', 'JSON.DEBUG'],
])

/** The first argument may be a key or a value of megabytes. */
const MAX_FORM_CHARS = 100

/** A command as Redis' ACL writes it: `scan`, `config|get`, `json.get`. */
const COMMAND_NAME = /^[a-z][a-z\d._-]*(\|[a-z\d._-]+)?$/i

/**
 * Allows the default commands and `more`: names, `container|subcommand`, or `['all']`. Throws a
 * `ConfigError` for a text that is not a name, and for a command that is refused in any case.
 */
export function commandFilter(more: readonly string[] = []): CommandFilter {
  const allowsAll = more.includes('all')
  for (const name of more) {
    if (!COMMAND_NAME.test(name)) {
      const expected = "names of commands such as 'scan,config|get', or all"
      throw new ConfigError('--allow', expected, describeValue(name))
    }
    if (changesConnection(name.toUpperCase())) {
      throw new ConfigError(
        '--allow',
        'no command that would change or block the connection, which all requests share',
        describeValue(name),
      )
    }
  }
  const names = new Set([...DEFAULT_COMMANDS, ...more.map((name) => name.toUpperCase())])
  const defaults = new Set(DEFAULT_COMMANDS)

  return ([name, ...args], connection = 'shared') => {
    if (defaults.has(name)) return undefined
    const form = `${name}|${args[0] ?? ''}`.slice(0, MAX_FORM_CHARS).toUpperCase()
    if (defaults.has(form)) return undefined
    const called = CONTAINER_COMMANDS.has(name) && args.length > 0 ? form.toLowerCase() : name
    const refused = `ERR Command is not available: '${shortened(called)}'.`
    if (SUBSCRIBE_COMMANDS.has(name) && connection === 'shared') {
      return `${refused} Use POST /${name.toLowerCase()}/<channel> with Accept: text/event-stream`
    }
    if (changesConnection(form) || (BLOCK_OPTION_COMMANDS.has(name) && hasBlockOption(args))) {
      return `${refused} It would change or block the connection that all requests share`
    }
    if (allowsAll || names.has(name) || names.has(form)) return undefined
    return `${refused} ${remedyFor(called)}`
  }
}

/**
 * Whether a command changes or blocks the connection. `form` is a command or
 * `CONTAINER|SUBCOMMAND`. ioredis mistakes names of members that every object has, such as
 * `toString`, for QUIT.
 */
function changesConnection(form: string): boolean {
  const [name = ''] = form.split('|')
  return CONNECTION_COMMANDS.has(name) || CONNECTION_COMMANDS.has(form) || name.toLowerCase() in {}
}

/** Keys follow after STREAMS, and a key may be named BLOCK. */
function hasBlockOption(args: readonly (string | Buffer)[]): boolean {
  const words = args.map((arg) => `${arg}`.toUpperCase())
  return words.slice(0, words.lastIndexOf('STREAMS')).includes('BLOCK')
}

/** The name may be a key in the wrong place. Only the client that sent it sees the error. */
const shortened = (name: string) => name.slice(0, 40)

/**
 * Names the flag that allows exactly this command, quoted for a shell, where a bare `|` is a pipe.
 * The name of a container command would allow all of its subcommands.
 */
function remedyFor(called: string): string {
  if (CONTAINER_COMMANDS.has(called)) return 'A subcommand is missing'
  if (!COMMAND_NAME.test(called) || called === 'ALL') return 'This is not the name of a command'
  const name = called.toLowerCase()
  const flag = name.includes('|') ? `--allow '${name}'` : `--allow ${name}`
  return `To allow it, start the gateway with ${flag}`
}
