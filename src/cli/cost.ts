import { estimate } from '../cost/estimate.ts'
import { DEFAULT_ISOLATES, DEFAULT_STAY, DEFAULT_VISIT, readCostFlags } from './cost-flags.ts'
import { formatEstimate } from './cost-table.ts'
import { EXIT_CODES } from './exit-codes.ts'
import type { Subcommand } from './subcommand.ts'

/** `tidegate cost`: calls no service, and needs no store. */
export const cost: Subcommand = {
  name: 'cost',
  summary: 'estimate what the count costs in a month, in several places',
  usage: `Usage: tidegate cost --requests <count> --clients <count> --policy <limit>/<window> [options]

Estimates what a month of rate limiting costs: on Upstash, in Durable Objects, and on a Redis of
your own; next to @upstash/ratelimit and to GET, then SET. It simulates a sample of the traffic on
this machine, which takes some seconds, and calls no service.

  --requests <count>   requests a month, such as 30M
  --clients <count>    clients that are counted apart, such as 200k
  --policy <policy>    the limit and the window, such as 100/1m
  --lease              isolates take units ahead for hot clients
  --isolates <count>   among how many isolates the requests of a client are spread (${DEFAULT_ISOLATES})
  --visit <count>      how many requests a client sends in a row, on average (${DEFAULT_VISIT}; 1: each request
                       comes at a random time)
  --stay <time>        how long a client stays at an isolate (${DEFAULT_STAY}; 0: each request reaches any)
  --json               print the estimate as JSON

Visits come at random times, each from a client drawn at random, so all clients send about equally
many requests. To add a few clients that send much more, run it twice.

Exit codes:
  0  the estimate is printed
  2  the usage is wrong
  5  an error in tidegate itself
`,
  async run(args) {
    const { traffic, json } = readCostFlags(args)
    const found = await estimate(traffic)
    console.log(json ? JSON.stringify(found, null, 2) : formatEstimate(found))
    return EXIT_CODES.passed
  },
}
