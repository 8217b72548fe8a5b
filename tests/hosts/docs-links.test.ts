/** The links of the documents, on the repository's pages and on the package's page at npm. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'bench/README.md',
  'examples/monitoring/README.md',
  ...readdirSync('docs').map((name) => `docs/${name}`),
]
const REPOSITORY = 'https://github.com/tidegate/tidegate/blob/main/'
const { files }: { files: readonly string[] } = JSON.parse(readFileSync('package.json', 'utf8'))

/** What npm packs besides `files` (https://docs.npmjs.com/cli/v11/configuring-npm/package-json#files). */
const ALWAYS_PACKED = ['README.md', 'LICENSE', 'package.json']

const textOf = (page: string) => readFileSync(page, 'utf8').replace(/^```.*?^```$/gms, '')

const linksOf = (page: string) =>
  [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)

/** The anchors that GitHub makes of a page's headings. */
const anchorsOf = (page: string) =>
  [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )

describe('each link of the documents leads somewhere', () => {
  for (const page of PAGES) {
    test(page, () => {
      const lost = linksOf(page).filter((link) => {
        const local = link.startsWith(REPOSITORY) ? link.slice(REPOSITORY.length) : link
        if (/^[a-z]+:/.test(local)) return false
        const [path = '', anchor] = local.split('#')
        const base = local === link ? dirname(page) : '.'
        const target = path === '' ? page : join(base, path)
        if (!existsSync(target)) return true
        return anchor !== undefined && !anchorsOf(target).includes(anchor)
      })
      expect(lost).toEqual([])
    })
  }

  test('on npm: README and docs link to files outside of the package by their address', () => {
    const packed = [...files, ...ALWAYS_PACKED]
    const outside = PAGES.filter((page) => packed.includes(page.split('/')[0] ?? '')).flatMap(
      (page) =>
        linksOf(page)
          .filter((link) => !/^(?:[a-z]+:|#)/.test(link))
          .map((link) => join(dirname(page), link.split('#')[0] ?? ''))
          .filter((target) => !packed.includes(target.split('/')[0] ?? ''))
          .map((target) => `${page} → ${target}`),
    )
    expect(outside).toEqual([])
  })
})
