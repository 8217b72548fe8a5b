/** Lines over time, of one measure. */
export interface LinePanel {
  readonly title: string
  readonly note: string
  readonly lines: readonly Line[]
}

export interface Line {
  readonly label: string
  /** Of each point the time, and the value. */
  readonly points: readonly (readonly [number, number])[]
}

/** The times, which begin at 0. */
export interface Axis {
  readonly until: number
  readonly unit: string
}

const WIDTH = 960
const GAP = 18
const LEFT = 52
const HEAD = 40
const PLOT = 120
const FOOT = 30
const PANEL = HEAD + PLOT + FOOT
const LETTER = 6.6

/**
 * Panels with lines as SVG, one below the other, from zero up. It brings its own ground, and both
 * sets of colours, so that it can be read on light and dark pages.
 *
 */
export function lineChart(title: string, axis: Axis, panels: readonly LinePanel[]): string {
  const height = GAP + panels.length * PANEL
  const drawn = panels.map(
    (panel, index) =>
      `<g transform="translate(${GAP} ${GAP + index * PANEL})">${draw(panel, axis)}</g>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="8"/>
${drawn.join('\n')}
</svg>
`
}

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 13px }
.note { fill: #57606a }
.ground { fill: #ffffff; stroke: #d0d7de }
.grid { stroke: #d0d7de; stroke-width: 1 }
path { fill: none; stroke-width: 1.5; stroke-linejoin: round }
.line0 { stroke: #0a7ea4 }
.line1 { stroke: #bc4c00 }
.line2 { stroke: #6639ba }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .note { fill: #9198a1 }
  .ground { fill: #0d1117; stroke: #3d444d }
  .grid { stroke: #30363d }
  .line0 { stroke: #39b6dd }
  .line1 { stroke: #f0883e }
  .line2 { stroke: #b392f0 }
}
`

function draw({ title, note, lines }: LinePanel, { until, unit }: Axis): string {
  const width = WIDTH - 2 * GAP - LEFT
  const top = roundUp(Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y)), 1))
  const x = (time: number) => LEFT + (width * time) / until
  const y = (value: number) => HEAD + PLOT * (1 - value / top)
  const rules = [0, 0.5, 1].map((share) => {
    const at = y(top * share)
    return `<line class="grid" x1="${LEFT}" x2="${LEFT + width}" y1="${at}" y2="${at}"/>
<text class="note" x="${LEFT - 8}" y="${at + 4}" text-anchor="end">${shown(top * share)}</text>`
  })
  const times = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const time = shown(until * share)
    const [text, anchor] = share === 1 ? [`${time} ${unit}`, 'end'] : [time, 'middle']
    return `<text class="note" x="${x(until * share)}" y="${HEAD + PLOT + 18}" text-anchor="${anchor}">${text}</text>`
  })
  const paths = lines.map(({ points }, index) => {
    const steps = points.map(([time, value]) => `${x(time).toFixed(1)} ${y(value).toFixed(1)}`)
    return `<path class="line${index}" d="M${steps.join('L')}"/>`
  })
  return `<text class="title" x="0" y="12">${escaped(title)}</text>
<text class="note" x="0" y="29">${escaped(note)}</text>
${legend(lines, WIDTH - 2 * GAP)}
${[...rules, ...times, ...paths].join('\n')}
`
}

/** At the right of the title. */
function legend(lines: readonly Line[], right: number): string {
  if (lines.length < 2) return ''
  let x = right
  const entries = [...lines.entries()].reverse().map(([index, { label }]) => {
    x -= label.length * LETTER + 34
    return `<path class="line${index}" d="M${x.toFixed(1)} 8h18"/><text x="${(x + 24).toFixed(1)}" y="12">${escaped(label)}</text>`
  })
  return entries.join('\n')
}

/** The next of 1, 2, 5, 10, 20, and so on. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power
}

const shown = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 })

const escaped = (text: string) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
