/**
 * Records the series of `examples/monitoring/tests/`, all of them or those of some causes:
 * `node tests/support/monitoring/record.ts stopped slow`.
 *
 * Each file is one cause, provoked on a real Redis. It is scraped every 100 ms, and replayed as if
 * every 15 s: 150 times as fast, so that 35 minutes take 14 seconds. Rules compare ratios and
 * medians, so they see the same as on a site with one 150th of the load.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { pause } from '../pause.ts'
import { inputSeries, readScrape, type Scrape } from './series.ts'
import { type CauseName, startSite } from './site.ts'

const FOLDER = 'examples/monitoring'
const SCRAPE_MS = 100
const REPLAY_SECONDS = 15

/** How many scrapes are made before the cause, while it lasts, and after it. */
const BEFORE = 20
const DURING = 70
const AFTER = 110

/** The alerts that must fire while each cause lasts. All must have ended at the end. */
const EXPECTED: Readonly<Record<CauseName, readonly string[]>> = {
  stopped: ['TidegateBreakerOpen', 'TidegateStoreUnreachable'],
  slow: ['TidegateStoreSlow'],
  failing: ['TidegateBreakerOpen', 'TidegateStoreErrorRate'],
  full: ['TidegateBreakerOpen', 'TidegateStoreMemory'],
  evicting: ['TidegateStoreEvicting', 'TidegateStoreMemory'],
  unwatched: ['TidegateNotScraped'],
}

const rules = readFileSync(`${FOLDER}/rules.yml`, 'utf8')

const named = process.argv.slice(2)
for (const cause of Object.keys(EXPECTED) as CauseName[]) {
  if (named.length > 0 && !named.includes(cause)) continue
  const text = testFile(cause, inputSeries(await record(cause), rules))
  writeFileSync(`${FOLDER}/tests/${cause}.yml`, text)
  console.log(`${cause}: ${text.length} characters`)
}
process.exit()

async function record(cause: CauseName): Promise<readonly Scrape[]> {
  const site = await startSite()
  await pause(500)
  const scrapes: Scrape[] = []
  async function scrapeAll(count: number) {
    for (let done = 0; done < count; done++) {
      const start = performance.now()
      const all = Object.entries(site.jobs).map(async ([job, { url, token }]) => {
        const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
        const samples = response.ok ? readScrape(await response.text(), job) : []
        return [[`up{job="${job}"}`, response.ok ? 1 : 0] as const, ...samples]
      })
      scrapes.push(new Map((await Promise.all(all)).flat()))
      await pause(Math.max(0, SCRAPE_MS - (performance.now() - start)))
    }
  }
  try {
    await scrapeAll(BEFORE)
    await site.causes[cause].begin()
    await scrapeAll(DURING)
    await site.causes[cause].end()
    await scrapeAll(AFTER)
  } finally {
    await site.stop()
  }
  return scrapes
}

function testFile(cause: CauseName, series: string): string {
  const firing = `group by (alertname) (ALERTS{alertstate="firing"})`
  const at = (scrape: number) => `${scrape * REPLAY_SECONDS}s`
  const alerts = EXPECTED[cause].map(
    (alert) => `          - labels: '{alertname="${alert}"}'\n            value: 1`,
  )
  return `# Recorded by tests/support/monitoring/record.ts: the store is ${cause} from ${at(BEFORE)} to ${at(BEFORE + DURING)}.
rule_files:
  - ../rules.yml

evaluation_interval: ${REPLAY_SECONDS}s

tests:
  - interval: ${REPLAY_SECONDS}s
    input_series:
${series}
    promql_expr_test:
      - expr: ${firing}
        eval_time: ${at(BEFORE - 1)}
        exp_samples: []
      - expr: ${firing}
        eval_time: ${at(BEFORE + DURING - 1)}
        exp_samples:
${alerts.join('\n')}
      - expr: ${firing}
        eval_time: ${at(BEFORE + DURING + AFTER - 1)}
        exp_samples: []
`
}
