/** Bars of one measure, each of one contestant. */
export interface Panel {
  readonly title: string
  /** Which way is better. */
  readonly note: string
  readonly bars: readonly Bar[]
}

export interface Bar {
  readonly label: string
  readonly value: number
}

const ROW = 22
const HEAD = 46
const GAP = 18
const LETTER = 6.6
const VALUE = 64

/**
 * Horizontal bars as SVG, ours in colour. It brings its own ground, and both sets of colours, so that
 * it can be read on light and dark pages.
 */
export function barChart(panels: readonly Panel[], columns: number, width: number): string {
  const labels = panels.flatMap(({ bars }) => bars.map(({ label }) => label.length))
  const label = Math.ceil(Math.max(...labels) * LETTER) + 12
  const rows = Math.max(...panels.map(({ bars }) => bars.length))
  const cell = { width: (width - GAP) / columns, height: HEAD + rows * ROW + GAP }
  const height = Math.ceil(panels.length / columns) * cell.height + GAP
  const drawn = panels.map((panel, index) => {
    const x = GAP + (index % columns) * cell.width
    const y = GAP + Math.floor(index / columns) * cell.height
    return `<g transform="translate(${x} ${y})">${draw(panel, label, cell.width - GAP)}</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(panels.map(({ title }) => title).join('; '))}</title>
<style>${STYLE}</style>
<rect class="ground" width="${width}" height="${height}" rx="8"/>
${drawn.join('\n')}
</svg>
`
}

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 13px }
.note { fill: #57606a }
.ground { fill: #ffffff; stroke: #d0d7de }
.bar { fill: #afb8c1 }
.ours { fill: #0a7ea4 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .note { fill: #9198a1 }
  .ground { fill: #0d1117; stroke: #3d444d }
  .bar { fill: #656c76 }
  .ours { fill: #39b6dd }
}
`

function draw({ title, note, bars }: Panel, label: number, width: number): string {
  const most = Math.max(...bars.map(({ value }) => value)) || 1
  const scale = (value: number) => Number((((width - label - VALUE) * value) / most).toFixed(1))
  const lines = bars.map(({ label: text, value }, index) => {
    const y = HEAD + index * ROW
    const end = label + scale(value)
    const ours = text.toLowerCase().startsWith('tidegate') ? ' ours' : ''
    return `<text x="${label - 8}" y="${y + 12}" text-anchor="end">${escaped(text)}</text>
<rect class="bar${ours}" x="${label}" y="${y}" width="${Math.max(1, scale(value))}" height="16" rx="2"/>
<text x="${end + 6}" y="${y + 12}">${shown(value)}</text>`
  })
  return `<text class="title" x="0" y="12">${escaped(title)}</text>
<text class="note" x="0" y="29">${escaped(note)}</text>
${lines.join('\n')}
`
}

const shown = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 4 })

const escaped = (text: string) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
