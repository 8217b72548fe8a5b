import { parseArgs } from 'node:util'
import { describeValue } from '../checks.ts'
import { type DoctorOptions, doctor as examine, type Report } from '../doctor/doctor.ts'
import { ConfigError } from '../errors.ts'
import type { Duration } from '../policy/duration.ts'
import { findStore, readEnvironment } from './doctor-store.ts'
import { readWatchFlags, watchStore } from './doctor-watch.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { printReport } from './print-report.ts'
import type { Subcommand } from './subcommand.ts'

/** `tidegate doctor` */
export const doctor: Subcommand = {
  name: 'doctor',
  summary: 'check the store that the environment names, and suggest fixes',
  usage: `Usage: tidegate doctor [options]

Examines the store that the environment names: UPSTASH_REDIS_REST_URL and _TOKEN,
UPSTASH_REDIS_URL and _TOKEN, KV_REST_API_URL and _TOKEN with any prefix, or REDIS_URL.
It leaves nothing behind.

  --url <url>             the REST URL of a database or gateway, in place of the variables …
  --token <token>         … and its token
  --env-file <file>       reads a file such as .env.local or .dev.vars in place of the process's
                          variables; may be repeated: later files override earlier ones
  --redis <url>           a Redis over TCP: redis://user:password@host:port, rediss:// for TLS
  --prefix <prefix>       what the keys of the limiter begin with (ratelimit)
  --probes <count>        how many round trips to measure (20)
  --max-latency <time>    warn when half of them take longer (10ms)
  --max-memory <percent>  warn when more of maxmemory is used (80%)
  --max-errors <percent>  warn when more of the round trips fail (1%)
  --max-skew <time>       warn when the clocks are further apart (2s)
  --timeout <time>        how long to wait for one answer (2s)
  --deadline <time>       how long to take for everything (10s)
  --json                  print the report as JSON
  --strict                exit with 4 on a warning
  --watch <time>          examine the store again and again, such as every 30s, until SIGTERM;
                          print a line when the state of a check changes
  --webhook <url>         and send a POST, for Slack, Discord or your own server  DOCTOR_WEBHOOK

Pass secrets in variables, also the URL of a webhook: other users may see flags in the process
list.

Exit codes:
  0  no check failed, or a signal ended the watch
  1  a check failed, or the environment names no store
  2  nothing was examined: the usage is wrong
  4  no check failed, but there is a warning (only with --strict)
  5  an error in tidegate itself
`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: OPTIONS })
    const env = readEnvironment(values)
    const watching = readWatchFlags(values, env)
    const store = findStore(values, env)
    if (typeof store === 'string') {
      const finding = { check: 'reachability', level: 'failure', says: store } as const
      const report: Report = { ok: false, level: 'failure', findings: [finding], took: 0 }
      if (values.json) console.log(JSON.stringify(report, null, 2))
      else console.error(`tidegate doctor: ${store}`)
      return EXIT_CODES.failure
    }
    const options: DoctorOptions = {
      prefix: values.prefix,
      probes: values.probes === undefined ? undefined : Number(values.probes),
      maxLatency: duration(values['max-latency']),
      maxMemory: percent('--max-memory', values['max-memory']),
      maxErrors: percent('--max-errors', values['max-errors']),
      maxSkew: duration(values['max-skew']),
      timeout: duration(values.timeout),
      deadline: duration(values.deadline),
    }
    if (watching) return watchStore(store, watching, options)
    const { target, close } = store.open()
    try {
      const report = await examine(target, { address: store.address, ...options })
      printReport(`The store that ${store.name} names:`, report, values.json)
      if (!report.ok) return EXIT_CODES.failure
      return values.strict && report.level === 'warning' ? EXIT_CODES.warning : EXIT_CODES.passed
    } finally {
      close()
    }
  },
}

const OPTIONS = {
  url: { type: 'string' },
  token: { type: 'string' },
  redis: { type: 'string' },
  'env-file': { type: 'string', multiple: true },
  prefix: { type: 'string' },
  probes: { type: 'string' },
  'max-latency': { type: 'string' },
  'max-memory': { type: 'string' },
  'max-errors': { type: 'string' },
  'max-skew': { type: 'string' },
  timeout: { type: 'string' },
  deadline: { type: 'string' },
  json: { type: 'boolean' },
  strict: { type: 'boolean' },
  watch: { type: 'string' },
  webhook: { type: 'string' },
} as const

/** `doctor` of the library checks the duration. */
const duration = (text: string | undefined) => text as Duration | undefined

function percent(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, number] = /^(\d+(?:\.\d+)?) ?%$/.exec(text) ?? []
  if (number !== undefined && Number(number) <= 100) return Number(number) / 100
  throw new ConfigError(option, 'a percentage such as 80%', describeValue(text))
}
