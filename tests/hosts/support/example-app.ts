import { join, resolve } from 'node:path'
import { freePort } from '../../support/listen.ts'
import type { programs } from './programs.ts'

type Host = ReturnType<typeof programs>

/** An app in `examples/`, which a server of its own serves. */
export type ExampleApp = 'sveltekit' | 'astro' | 'nitro' | 'nuxt'

const folderOf = (app: ExampleApp) => resolve('examples', app)
const env = { ASTRO_TELEMETRY_DISABLED: '1', NUXT_TELEMETRY_DISABLED: '1' }

/** Installs what an app needs and builds it, in its own folder. */
export async function buildExample({ run }: Host, app: ExampleApp): Promise<void> {
  const cwd = folderOf(app)
  console.log(`${app}: npm install`)
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd })
  console.log(`${app}: npm run build`)
  await run('npm', ['run', 'build'], { cwd, env })
}

/** Checks the types of an app that is built, by one of its configurations. */
export async function checkTypes({ run }: Host, app: ExampleApp, config = 'tsconfig.json') {
  const tsc = resolve('node_modules/.bin/tsc')
  await run(tsc, ['--noEmit', '-p', join(folderOf(app), config)], { cwd: folderOf(app) })
}

/** Starts a built app with variables that the build did not have. Returns its port. */
export async function startExample(
  { serve }: Host,
  app: ExampleApp,
  variables: Readonly<Record<string, string>>,
): Promise<number> {
  const port = await freePort()
  await serve('npm', ['start'], /listening/i, {
    cwd: folderOf(app),
    env: { ...env, ...variables, HOST: '127.0.0.1', PORT: `${port}` },
  })
  return port
}
