/** The dashboard of `examples/monitoring`, without Grafana: its structure, and the names it uses. */
import { expect, inject, test } from 'vitest'
import { collector } from '../../src/metrics/index.ts'
import { startGateway } from '../support/gateway-server.ts'
import {
  dashboard,
  type GridPosition,
  interpolate,
  queries,
} from '../support/monitoring/dashboard.ts'

const { panels, templating } = dashboard
const variables = templating.list

test('each panel has an id of its own, and each query a letter of its own in its panel', () => {
  const ids = panels.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { title, type, targets = [] } of panels) {
    expect(targets.length > 0, title).toBe(type !== 'row')
    const letters = targets.map(({ refId }) => refId)
    expect(new Set(letters).size, title).toBe(letters.length)
  }
})

test('panels are within the 24 columns of the grid, and none covers another', () => {
  const places = panels.map(({ title, gridPos }) => ({ title, ...gridPos }))
  const isCovering = (a: GridPosition, b: GridPosition) =>
    a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
  places.forEach((place, index) => {
    expect(place.x >= 0 && place.x + place.w <= 24, place.title).toBe(true)
    const covered = places.slice(index + 1).filter((other) => isCovering(place, other))
    expect(
      covered.map(({ title }) => title),
      place.title,
    ).toEqual([])
  })
})

test('every query asks the data source that the reader chooses', () => {
  expect(variables.find(({ name }) => name === 'datasource')?.type).toBe('datasource')
  for (const { title, datasource, targets = [] } of panels) {
    for (const source of [datasource, ...targets.map((target) => target.datasource)]) {
      if (source !== undefined)
        expect(source, title).toEqual({
          type: 'prometheus',
          uid: expect.stringMatching(/^\$\{datasource\}$/),
        })
    }
  }
})

test('every variable in a query is defined', () => {
  for (const { title, expr } of queries) expect(interpolate(expr, '1m'), title).not.toContain('$')
})

test('every metric of a query is one of the collector or of the gateway', async () => {
  const gateway = await startGateway(inject('redisUrl'))
  try {
    const headers = { authorization: `Bearer ${gateway.token}` }
    const scrape = () => fetch(`${gateway.url}/metrics`, { headers })
    // The first scrape is a request that the second one counts.
    await scrape()
    const ofGateway = await (await scrape()).text()
    const known = new Set([
      ...[...ofGateway.matchAll(/^(\w+)[ {]/gm)].map(([, name]) => name),
      ...collector()
        .read()
        .flatMap(({ name, type, unit }) => {
          const base = `tidegate_${name.replaceAll('.', '_')}${unit === 's' ? '_seconds' : ''}`
          if (type === 'histogram') return ['bucket', 'sum', 'count'].map((end) => `${base}_${end}`)
          return type === 'counter' ? [`${base}_total`] : [base]
        }),
    ])
    const sources = variables.flatMap(({ query }) =>
      typeof query === 'string' ? [] : [query.query],
    )
    const used = [...queries.map(({ expr }) => expr), ...sources].flatMap(
      (text) => text.match(/\btidegate_\w+/g) ?? [],
    )
    expect(used.length).toBeGreaterThan(25)
    expect([...new Set(used)].filter((name) => !known.has(name) && name !== 'tidegate_')).toEqual(
      [],
    )
  } finally {
    await gateway.stop()
  }
})
