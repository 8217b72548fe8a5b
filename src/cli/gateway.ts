import { show } from '../errors.ts'
import { DEFAULT_COMMANDS } from '../gateway/command-filter.ts'
import { readSettings, type Settings } from '../gateway/settings.ts'
import { startGateway } from '../gateway/start.ts'
import type { Command } from './command.ts'

/** `tidegate gateway`: runs until SIGINT or SIGTERM, and then ends the requests in flight first. */
export const gateway: Command = {
  name: 'gateway',
  summary: 'give a Redis the REST face of Upstash, for code without sockets',
  usage: `Usage: tidegate gateway --token <secret> [options]

Gives a Redis the REST face of Upstash. In edge code: upstash({ url, token }).

  --token <secret>   what clients must send, 16 characters or more; several: a,b   GATEWAY_TOKEN
  --redis <url>      the Redis, rediss:// for TLS (redis://127.0.0.1:6379)         REDIS_URL
  --port <port>      where to listen, 0 for a free port (8079)                     PORT
  --host <address>   the interface to listen on (127.0.0.1)
  --allow <names>    allows more commands: 'scan,subscribe,config|get', or all
  --tls-cert <file>  serves HTTPS with this certificate (PEM) …
  --tls-key <file>   … and its key
  --verbose          logs every request, without keys or tokens

A variable (on the right) stands for a flag that is not given; prefer GATEWAY_TOKEN, for
whoever lists processes sees flags. Commands that pass without --allow:
${wrapped(DEFAULT_COMMANDS)}
GET /healthz says ok or away, without a token.
`,
  async run(args) {
    const settings = readSettings(args, process.env)
    // Whoever read the log may go: the gateway stays.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
    const log = (line: string) => console.log(`tidegate gateway: ${line}`)
    try {
      const running = await startGateway(settings, log)
      await signalled()
      await running.stop()
      return 0
    } catch (error) {
      console.error(`tidegate gateway: ${reasonOf(error, settings)}`)
      return 1
    }
  },
}

/** Of a failed call to the system Node quotes the host, which may be the value of another flag. */
function reasonOf(error: unknown, { host, port }: Settings): string {
  if (!(error instanceof Error)) return `${error}`
  if (!('syscall' in error) || !('code' in error)) return error.message
  return `cannot listen on ${show(host)}, port ${port} (${error.code})`
}

/** Resolves with the first signal to stop; a second one, of either kind, ends the process. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false
    const hear = () => {
      if (stopping) process.exit(1)
      stopping = true
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, hear)
  })
}

function wrapped(names: readonly string[]): string {
  return names.join(' ').replace(/(?=\S)(.{1,80})(?: |$)/g, '  $1\n')
}
