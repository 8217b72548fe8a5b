/**
 * What the path of a request costs, by what is in it: processor time of `parsePath` and of matching
 * some patterns, divided by that of a plain path of the same length, in the same run.
 *
 *     node bench/path.ts
 */
import { compilePath, parsePath } from '../src/policy/path.ts'

const PIECES = {
  'plain (1.0)': '/abcdefg',
  'capital letters': '/Abcdefg',
  'no UTF-8': '%ffa',
  'cut UTF-8': '%e2%82a',
  'escaped letters': '%41',
  'escaped é': '%c3%a9',
  'escaped slashes': '%2f',
  parameters: '/a;b',
  semicolons: ';',
  'steps up': '/..;',
  'steps up over escaped slashes': '%2f..',
  'escaped escapes': '%25',
  'dots and blanks': '. ',
  'all at once': '/;x%2f..%5c%253b%23',
}
const LENGTHS = [60, 1_000, 8_000, 15_000]
const patterns = ['/', '/login', '/api/*', '/:a/b/:c/d/:e'].map((path) =>
  compilePath('match', path),
)

const matches = (url: string) =>
  parsePath(url).some((reading) => patterns.some((pattern) => pattern.test(reading)))

/** The least processor time of several rounds, in µs for each call: other programs only add. */
function cost(url: string): number {
  const calls = Math.ceil(1_000_000 / url.length)
  const rounds = Array.from({ length: 9 }, () => {
    const { user } = process.cpuUsage()
    for (let call = 0; call < calls; call++) matches(url)
    return (process.cpuUsage().user - user) / calls
  })
  return Math.min(...rounds)
}

const rows = Object.entries(PIECES).map(([name, piece]) => {
  const costs = LENGTHS.map((length) => {
    return cost(new URL(`https://example.com/x${piece.repeat(length / piece.length)}`).href)
  })
  return [name, costs] as const
})
const plain = rows[0]?.[1] ?? []
const cells = (costs: readonly number[]) =>
  costs.map((us, at) => `${us.toFixed(1)} µs (${(us / (plain[at] ?? us)).toFixed(1)})`)
const table = rows.map(([name, costs]) => [
  name,
  Object.fromEntries(cells(costs).map((cell, at) => [`${LENGTHS[at]} characters`, cell])),
])
console.table(Object.fromEntries(table))
