import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

test('CHANGELOG.md has an entry for the version of the package', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const headings = readFileSync('CHANGELOG.md', 'utf8')
    .split('\n')
    .filter((line) => /^## /.test(line))
  const versions = headings.map(
    (line) => /^## (\S+) \((?:unreleased|\d{4}-\d\d-\d\d)\)$/.exec(line)?.[1],
  )
  expect(versions).toContain(version)
  expect(versions).not.toContain(undefined)
})

test('npm pack builds what it packs, whatever an older build has left', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-pack-'))
  try {
    for (const name of ['package.json', 'tsconfig.json', 'scripts', 'src']) {
      cpSync(name, join(folder, name), { recursive: true })
    }
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    mkdirSync(join(folder, 'dist'))
    writeFileSync(join(folder, 'dist/index.js'), 'of an older build')
    writeFileSync(join(folder, 'dist/removed.js'), 'of an older build')
    execFileSync('npm', ['pack'], { cwd: folder, stdio: 'pipe' })
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    const read = (...args: readonly string[]) =>
      execFileSync('tar', [...args], { cwd: folder, encoding: 'utf8' })
    const tarball = `tidegate-${version}.tgz`
    const files = read('-tzf', tarball).split('\n')
    expect(files).toEqual(
      expect.arrayContaining(['package/dist/cli.js', 'package/dist/index.d.ts']),
    )
    expect(files).not.toContain('package/dist/removed.js')
    expect(read('-xzOf', tarball, 'package/dist/index.js')).toContain('createLimiter')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
