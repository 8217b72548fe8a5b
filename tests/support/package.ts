import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * A folder in which the package is installed as npm would from the registry: what `npm pack` packs,
 * beside links to `peers` of this repository. It does not build again: other tests use `dist`.
 */
export function installPackage(...peers: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-'))
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, 'tidegate'), { recursive: true })
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const packed = execFileSync('npm', pack, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }]
  const tar = ['-xzf', join(folder, filename), '--strip-components=1']
  execFileSync('tar', [...tar, '-C', join(modules, 'tidegate')])
  for (const peer of peers) {
    mkdirSync(resolve(modules, peer, '..'), { recursive: true })
    symlinkSync(resolve('node_modules', peer), join(modules, peer))
  }
  const dependencies = Object.fromEntries(['tidegate', ...peers].map((name) => [name, '*']))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', dependencies }))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
