/** Builds `dist/cli.js`: the command line with all that it needs, in one file that Node 20 runs. */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const FILE = 'dist/cli.js'

const { outputFiles, metafile } = await build({
  entryPoints: ['src/cli/main.ts'],
  outfile: FILE,
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  legalComments: 'none',
  // Optional colours of `debug`.
  external: ['supports-color'],
  // Packages in CommonJS load Node's modules with `require`.
  banner: {
    js: `#!/usr/bin/env node
import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)`,
  },
})

/** `node_modules/@scope/name` of every package that is in the file. */
const packages = new Set(
  Object.keys(metafile.inputs).flatMap((input) => {
    const [folder] = /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []
    return folder === undefined ? [] : [folder]
  }),
)
const notices = [...packages].sort().map(noticeOf).join('\n')
const code = outputFiles[0]?.text ?? ''
writeFileSync(FILE, `${code}/*\nThis file holds code of these packages.\n\n${notices}*/\n`)
chmodSync(FILE, 0o755)

/** The licence of a package, which has to be included with its code. */
function noticeOf(folder: string): string {
  const { name, version, license } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as Record<string, string>
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  if (file === undefined) throw new Error(`${name} has no licence to go with its code`)
  const text = readFileSync(join(folder, file), 'utf8').replaceAll('*/', '* /').trim()
  return `${name} ${version} (${license})\n\n${text}\n`
}
