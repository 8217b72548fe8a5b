/** Series of metrics, recorded from scrapes, as the tests of promtool take them. */

/** The values of one scrape by series: `name{label="value"}`. */
export type Scrape = ReadonlyMap<string, number>

/**
 * Reads Prometheus' text format. Adds the label that Prometheus itself adds. The free port of the
 * tests becomes the gateway's own.
 */
export function readScrape(text: string, job: string): Scrape {
  const samples = [...text.matchAll(/^([a-z]\w*)(?:\{(.*)\})? (\S+)$/gim)]
  return new Map(
    samples.map(([, name, labels, value]) => {
      const own = labels?.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:8079')
      const all = [`job="${job}"`, ...(own ? [own] : [])].join(',')
      return [`${name}{${all}}`, Number(value)]
    }),
  )
}

/**
 * The series of the metrics that `expressions` name, as YAML for `input_series` of promtool.
 * https://prometheus.io/docs/prometheus/2.42/configuration/unit_testing_rules/#series
 */
export function inputSeries(scrapes: readonly Scrape[], expressions: string): string {
  const names = new Set(expressions.match(/\b(?:tidegate_\w+|up)\b/g))
  const series = new Set(scrapes.flatMap((scrape) => [...scrape.keys()]))
  return [...series]
    .filter((key) => names.has(key.slice(0, key.indexOf('{'))))
    .sort()
    .map((key) => {
      const values = valuesOf(scrapes.map((scrape) => scrape.get(key)))
      return `      - series: '${key}'\n        values: ${values}`
    })
    .join('\n')
}

/** `5x9` is 5 and nine times more, `_x9` are nine missing values. */
function valuesOf(values: readonly (number | undefined)[]): string {
  const runs: { readonly text: string; more: number }[] = []
  for (const value of values) {
    const text = value === undefined ? '_' : `${value}`
    const last = runs.at(-1)
    if (last?.text === text) last.more++
    else runs.push({ text, more: 0 })
  }
  return runs
    .map(({ text, more }) => {
      if (text === '_') return `_x${more + 1}`
      return more === 0 ? text : `${text}x${more}`
    })
    .join(' ')
}
