import { cpSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { freePort } from '../../support/listen.ts'
import type { programs } from './programs.ts'

type Host = ReturnType<typeof programs>

/** An app in `examples/`, which a server of its own serves. */
export type ExampleApp = 'sveltekit' | 'astro' | 'nitro' | 'nuxt'

/** A changed copy of an app, in a folder that git ignores. */
export type Variant = `.variants/${ExampleApp}`

const folderOf = (app: ExampleApp | Variant) => resolve('examples', app)
const env = { ASTRO_TELEMETRY_DISABLED: '1', NUXT_TELEMETRY_DISABLED: '1' }

/** Installs what an app needs and builds it, in its own folder. */
export async function buildExample({ run }: Host, app: ExampleApp): Promise<void> {
  const cwd = folderOf(app)
  console.log(`${app}: npm install`)
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd })
  console.log(`${app}: npm run build`)
  await run('npm', ['run', 'build'], { cwd, env })
}

/** What `npm install` and a build add to the folder of an app. */
const ADDED = ['node_modules', '.astro', 'dist', '.nitro', '.output']

/** Builds a copy of an installed app with changed or new files: by path, a function of the text. */
export async function buildVariant(
  { run }: Host,
  app: ExampleApp,
  files: Readonly<Record<string, (text: string) => string>>,
): Promise<Variant> {
  const variant: Variant = `.variants/${app}`
  const cwd = folderOf(variant)
  rmSync(cwd, { recursive: true, force: true })
  cpSync(folderOf(app), cwd, {
    recursive: true,
    filter: (path) => !ADDED.includes(basename(path)),
  })
  symlinkSync(join(folderOf(app), 'node_modules'), join(cwd, 'node_modules'))
  for (const [name, change] of Object.entries(files)) {
    const file = join(cwd, name)
    writeFileSync(file, change(existsSync(file) ? readFileSync(file, 'utf8') : ''))
  }
  console.log(`${app}, changed: npm run build`)
  await run('npm', ['run', 'build'], { cwd, env })
  return variant
}

/** Removes the changed copies. */
export function removeVariants(): void {
  rmSync(resolve('examples/.variants'), { recursive: true, force: true })
}

/** Checks the types of an app that is built, by one of its configurations. */
export async function checkTypes({ run }: Host, app: ExampleApp, config = 'tsconfig.json') {
  const tsc = resolve('node_modules/.bin/tsc')
  await run(tsc, ['--noEmit', '-p', join(folderOf(app), config)], { cwd: folderOf(app) })
}

/** Starts a built app with variables that the build did not have. Returns its port. */
export async function startExample(
  { serve }: Host,
  app: ExampleApp | Variant,
  variables: Readonly<Record<string, string>>,
): Promise<number> {
  const port = await freePort()
  await serve('npm', ['start'], /listening/i, {
    cwd: folderOf(app),
    env: { ...env, ...variables, HOST: '127.0.0.1', PORT: `${port}` },
  })
  return port
}
