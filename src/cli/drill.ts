import { parseArgs } from 'node:util'
import manifest from '../../package.json' with { type: 'json' }
import { isLoopback, systemNetwork } from '../drill/addresses.ts'
import { uncoveredIn } from '../drill/coverage.ts'
import { drill as run, targetOf } from '../drill/drill.ts'
import { readOptions, type Settings } from '../drill/options.ts'
import { typicalRequests } from '../drill/plan.ts'
import type { Finding, Report } from '../drill/report.ts'
import { ConfigError } from '../errors.ts'
import type { Duration } from '../policy/duration.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { printReport } from './print-report.ts'
import type { Subcommand } from './subcommand.ts'

/** `tidegate drill` */
export const drill: Subcommand = {
  name: 'drill',
  summary: 'send requests to a deployment, and check that its limit holds',
  usage: `Usage: tidegate drill <url> --limit <count> --window <time> [options]

Sends requests to your own deployment: first five more than the limit, then with forged addresses
and other spellings of the path, then after Retry-After. Reports whether the limit holds, and
whether the header fields and the body of a refusal are right.

  --limit <count>         how many units the policy of this path allows …
  --window <time>         … in each window, such as 1m
  --cost <units>          how many units of the limit a request takes (1)
  --method <name>         the method of the requests (POST)
  --header <name: value>  a header field of every request; may be repeated
  --expect <status>       what the route answers to a request that passes (any of 2xx, or 304)
  --yes                   confirms that you may test this host, if it is not this machine
  --max-requests <count>  never sends more requests than this (250)
  --max-wait <time>       the longest time to wait for the end of a window (2m)
  --pace <time>           the time between two requests (100ms, or less in short windows)
  --max-rate <count>      never sends more requests a second than this (100)
  --timeout <time>        how long to wait for one response (10s)
  --json                  print the report as JSON
  --strict                exit with 4 on a warning

Redirects are not followed. The output contains no value of --header and of the query, but other
users may see flags in the process list.

Exit codes:
  0  all checks were made, and none failed
  1  a check failed
  2  no request was sent: the usage is wrong, or --yes is missing
  3  no check failed, but at least one was not examined
  4  all checks were made, and there is a warning (only with --strict)
  5  an error in tidegate itself
`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: OPTIONS,
      allowPositionals: true,
    })
    if (positionals.length > 1) throw new ConfigError('URL', 'only one URL')
    const settings = readOptions({
      url: positionals[0],
      limit: count(values.limit),
      window: duration(values.window),
      cost: count(values.cost),
      method: values.method,
      headers: values.header,
      expect: count(values.expect),
      maxRequests: count(values['max-requests']),
      maxWait: duration(values['max-wait']),
      pace: duration(values.pace),
      maxRate: count(values['max-rate']),
      timeout: duration(values.timeout),
    })
    const head = `The drill of ${targetOf(settings)}:`
    const addresses = await resolve(settings.url.hostname)
    if (addresses.length === 0) {
      printReport(head, unknownHost(settings), values.json)
      return EXIT_CODES.failure
    }
    const isRemote = !addresses.every(isLoopback)
    const plan = planOf(settings)
    if (isRemote && !values.yes) {
      console.error(
        `tidegate drill: ${settings.url.hostname} is not this machine. The drill would send ${plan}. Add --yes if you may test this host.`,
      )
      return EXIT_CODES.notStarted
    }
    const notify = (text: string) => console.error(`tidegate drill: ${text}`)
    notify(`sends ${plan}`)
    const report = await run(settings, {
      addresses,
      network: systemNetwork,
      userAgent: `tidegate-drill/${manifest.version} (+${manifest.homepage})`,
      notify,
    })
    printReport(head, report, values.json)
    return exitCodeOf(report, values.strict ?? false)
  },
}

function exitCodeOf({ level }: Pick<Report, 'level'>, isStrict: boolean): number {
  if (level === 'failure') return EXIT_CODES.failure
  if (level === 'not examined') return EXIT_CODES.notExamined
  return level === 'warning' && isStrict ? EXIT_CODES.warning : EXIT_CODES.passed
}

const OPTIONS = {
  limit: { type: 'string' },
  window: { type: 'string' },
  cost: { type: 'string' },
  method: { type: 'string' },
  header: { type: 'string', multiple: true },
  expect: { type: 'string' },
  yes: { type: 'boolean' },
  'max-requests': { type: 'string' },
  'max-wait': { type: 'string' },
  pace: { type: 'string' },
  'max-rate': { type: 'string' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  strict: { type: 'boolean' },
} as const

/** What the drill does if it finds no weakness, and at most. */
function planOf(settings: Settings): string {
  const { admitted, maxRequests, maxWait, pace } = settings
  return `about ${typicalRequests(admitted)} requests (${targetOf(settings)}), one every ${pace} ms, never more than ${maxRequests}, and waits at most ${maxWait / 1000} s for the end of a window`
}

async function resolve(hostname: string): Promise<readonly string[]> {
  try {
    return await systemNetwork.resolve(hostname)
  } catch {
    return []
  }
}

const NO_ADDRESS: Finding = {
  check: 'reachability',
  level: 'failure',
  says: 'The host of the URL has no address.',
  remedy: 'Check the spelling of the host, and the DNS of this machine.',
}

const unknownHost = (settings: Settings): Report => ({
  ok: false,
  level: 'failure',
  notExamined: uncoveredIn([NO_ADDRESS]),
  target: targetOf(settings),
  findings: [NO_ADDRESS],
  variants: [],
  requests: 0,
  took: 0,
})

/** `readOptions` checks the number and the duration. */
const count = (text: string | undefined) => (text === undefined ? undefined : Number(text))
const duration = (text: string | undefined) => text as Duration | undefined
