import { describeValue } from '../checks.ts'
import { DEFAULT_COMMANDS } from '../gateway/command-filter.ts'
import { readSettings, type Settings } from '../gateway/settings.ts'
import { startGateway } from '../gateway/start.ts'
import { EXIT_CODES } from './exit-codes.ts'
import type { Subcommand } from './subcommand.ts'

/** `tidegate gateway`: runs until SIGINT or SIGTERM, and then waits for the requests in flight. */
export const gateway: Subcommand = {
  name: 'gateway',
  summary: 'serve a Redis with the REST API of Upstash, for code without sockets',
  usage: `Usage: tidegate gateway --token <secret> [options]

Serves a Redis with the REST API of Upstash. In edge code: upstash({ url, token }).

  --token <secret>   what clients must send, 16 characters or more; several: a,b   GATEWAY_TOKEN
  --redis <url>      the Redis, rediss:// for TLS (redis://127.0.0.1:6379)         REDIS_URL
  --port <port>      where to listen, 0 for a free port (8079)                     PORT
  --host <address>   the interface to listen on (127.0.0.1)
  --allow <names>    allows more commands: 'scan,subscribe,config|get', or all
  --tls-cert <file>  serves HTTPS with this certificate (PEM) …
  --tls-key <file>   … and its key
  --verbose          logs every request, without keys or tokens

The variable on the right is used if the flag is missing. Prefer GATEWAY_TOKEN to --token: other
users may see flags in the process list. Commands that pass without --allow:
${wrapNames(DEFAULT_COMMANDS)}
GET /healthz needs no token, and returns ok or unavailable. GET /metrics is for Prometheus.

Exit codes:
  0  a signal stopped the gateway
  1  the gateway could not start
  2  the usage is wrong
  5  an error in tidegate itself
`,
  async run(args) {
    const settings = readSettings(args, process.env)
    // A closed pipe must not end the gateway.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
    const log = (line: string) => console.log(`tidegate gateway: ${line}`)
    try {
      const running = await startGateway(settings, log)
      await stopSignal()
      await running.stop()
      return EXIT_CODES.passed
    } catch (error) {
      console.error(`tidegate gateway: ${messageOf(error, settings)}`)
      return EXIT_CODES.failure
    }
  },
}

/** Node quotes the host if it cannot listen, and the host may be a secret from another flag. */
function messageOf(error: unknown, { host, port }: Settings): string {
  if (!(error instanceof Error)) return `${error}`
  if (!('syscall' in error) || !('code' in error)) return error.message
  return `cannot listen on ${describeValue(host)}, port ${port} (${error.code})`
}

/** Resolves at the first SIGINT or SIGTERM. The second ends the process. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false
    const listener = () => {
      if (stopping) process.exit(1)
      stopping = true
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, listener)
  })
}

function wrapNames(names: readonly string[]): string {
  return names.join(' ').replace(/(?=\S)(.{1,80})(?: |$)/g, '  $1\n')
}
