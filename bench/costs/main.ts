/**
 * Writes the generated parts of docs/costs.md, and docs/costs.svg:
 *
 *     npm run costs
 *     npm run costs -- --measure    measures the billed commands of the cases anew
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fillIn, plot } from './document.ts'
import { estimateAll, type Measured, measureAll } from './measure-all.ts'

const PAGE = new URL('../../docs/costs.md', import.meta.url)
const PLOT = new URL('../../docs/costs.svg', import.meta.url)
const RESULTS = new URL('../results/costs.json', import.meta.url)

const { values } = parseArgs({ options: { measure: { type: 'boolean' } } })
const cases = await estimateAll()
if (values.measure) {
  writeFileSync(RESULTS, `${JSON.stringify(await measureAll(cases), null, 2)}\n`)
}
const measured: readonly Measured[] = JSON.parse(readFileSync(RESULTS, 'utf8'))
writeFileSync(PAGE, fillIn(readFileSync(PAGE, 'utf8'), cases, measured))
writeFileSync(PLOT, plot(cases))
