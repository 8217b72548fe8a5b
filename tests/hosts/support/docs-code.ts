import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { installPackage } from '../../support/package.ts'

/** docs/next.md shows the files of two examples, which `next build` checks (tests/hosts/next.test.ts). */
export const PAGES = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter(
  (page) => page !== 'docs/next.md',
)

/**
 * A block of code on a page. Its first line names its language and its file. A file with a path, such as
 * `examples/astro/src/middleware.ts`, is one of this repository, which the page shows.
 */
export interface Block {
  readonly language: string
  readonly name: string | undefined
  readonly code: string
}

export function blocksOf(page: string): readonly Block[] {
  const blocks = readFileSync(page, 'utf8').matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)
  return [...blocks].map(([, language = '', name, code = '']) => ({ language, name, code }))
}

/**
 * Writes the named code of pages beside the installed package, each page into a folder of its own:
 * `README/hono.ts`. `peers` are packages of this repository that the code imports.
 */
export function installDocsCode(pages: readonly string[], ...peers: readonly string[]) {
  const { folder, remove } = installPackage(...peers)
  for (const page of pages) {
    const folderOfPage = join(folder, basename(page, '.md'))
    mkdirSync(folderOfPage)
    for (const { name, code } of blocksOf(page)) {
      if (name === undefined || name.includes('/')) continue
      writeFileSync(join(folderOfPage, name), code)
    }
  }
  /** Imports a file such as `README/hono.ts`. */
  const load = (name: string) => import(pathToFileURL(join(folder, name)).href)
  return { folder, load, remove }
}

/** How code of the documents is compiled: with all types, for Node. */
export const COMPILER_OPTIONS = {
  target: 'ES2022',
  module: 'NodeNext',
  lib: ['ES2023', 'DOM', 'DOM.Iterable'],
  types: ['node'],
  strict: true,
  noEmit: true,
}
