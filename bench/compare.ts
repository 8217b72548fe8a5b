/**
 * Whether requests became slower from one version of Tidegate to another: `app.fetch` of a Hono app
 * over `memory()`, with the header fields and without them, as a share of a bare Hono app. Rounds of
 * 3,000 requests take turns in one process; medians of 70 ratios.
 *
 *     git worktree add ../before <commit>    # and `npm install && npm run build` there
 *     npm run compare -- ../../before ..     # in this folder
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Hono } from 'hono'
import { premise } from './measure/premise.ts'
import { median } from './measure/statistics.ts'

const REQUESTS = 3_000
const ROUNDS = 80
const WARM_UP = 10
const CLIENTS = 10_000

const bare = new Hono().get('/', (c) => c.text('ok'))
const apps = new Map([['bare', bare]])
for (const checkout of process.argv.slice(2)) {
  const dist = pathToFileURL(resolve(checkout, 'dist/')).href
  const { memory } = await import(`${dist}/index.js`)
  const { rateLimit } = await import(`${dist}/adapters/hono.js`)
  const options = { limit: 1e9, window: '1h', store: memory() }
  for (const [label, headers] of [
    ['', undefined],
    [', no header fields', []],
  ] as const) {
    const app = new Hono().use(rateLimit({ ...options, headers })).get('/', (c) => c.text('ok'))
    apps.set(`${checkout}${label}`, app)
  }
}

const rates = new Map([...apps.keys()].map((name) => [name, [] as number[]]))
let sent = 0
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, app] of apps) {
    const start = performance.now()
    for (let request = 0; request < REQUESTS; request++) {
      const client = sent++ % CLIENTS
      const remoteAddress = `203.0.${client >> 8}.${client & 255}`
      const answer = await app.fetch(new Request('http://localhost/'), {
        incoming: { socket: { remoteAddress } },
      })
      premise(answer.status === 200, `${name} lets the request pass`, answer.status)
    }
    if (round >= WARM_UP) rates.get(name)?.push(REQUESTS / (performance.now() - start))
  }
}

const base = rates.get('bare') ?? []
for (const [name, own] of rates) {
  const ratio = median(own.map((rate, round) => rate / (base[round] ?? Number.NaN)))
  console.log(ratio.toFixed(3), name)
}
