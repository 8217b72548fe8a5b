/** SECURITY.md names the test of each promise as the title of a link. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = readFileSync('SECURITY.md', 'utf8')
const rows = page.split('\n').filter((line) => /^\| (?!Who|---)/.test(line))
const cited = [...page.matchAll(/\]\(([^)\s]+) "([^"]+)"\)/g)].map(([, file = '', title = '']) => ({
  file,
  title,
}))

/** A test's source, as a reader of its name sees it. */
const namesIn = (file: string) => readFileSync(file, 'utf8').replaceAll("\\'", "'")

test('each test that SECURITY.md cites exists, in the file that it links to', () => {
  const lost = cited.filter(
    ({ file, title }) => !existsSync(file) || !namesIn(file).includes(title),
  )
  expect(lost).toEqual([])
  expect(cited.length).toBeGreaterThan(40)
})

test('each attack in SECURITY.md has a promise with a link, or something that is not promised', () => {
  const unfounded = rows.filter((row) => {
    const [, promise = ''] = /^\|[^|]*\|[^|]*\|([^|]*)\|/.exec(row) ?? []
    return !promise.includes('](')
  })
  expect(unfounded).toEqual([])
  expect(rows.length).toBeGreaterThan(20)
})
