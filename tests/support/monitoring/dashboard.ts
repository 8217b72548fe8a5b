import { readFileSync } from 'node:fs'

/** A place in the grid of Grafana, which is 24 columns wide. */
export interface GridPosition {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

interface DataSource {
  readonly type: string
  readonly uid: string
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: GridPosition
  readonly datasource?: DataSource
  readonly targets?: readonly {
    readonly refId: string
    readonly datasource: DataSource
    readonly expr: string
  }[]
}

interface Variable {
  readonly name: string
  readonly type: string
  readonly query: string | { readonly query: string }
  readonly allValue?: string
}

/** The dashboard of `examples/monitoring`. */
export const dashboard = JSON.parse(
  readFileSync('examples/monitoring/grafana-dashboard.json', 'utf8'),
) as {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
}

/** Each query, with the title of its panel. */
export const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr })),
)

/** A query as Grafana sends it, with the value "All" of each variable. */
export function interpolate(expr: string, rateInterval: string): string {
  const text = expr.replaceAll('$__rate_interval', rateInterval)
  return dashboard.templating.list.reduce(
    (done, { name, allValue }) =>
      allValue === undefined ? done : done.replaceAll(`$${name}`, allValue),
    text,
  )
}
