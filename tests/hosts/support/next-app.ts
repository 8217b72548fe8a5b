import {
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { freePort } from '../../support/listen.ts'
import type { programs } from './programs.ts'

const EXAMPLES = resolve('examples')
/** Disposable, ignored by git, and inside the repository: Turbopack follows no link out of it. */
const BUILDS = join(EXAMPLES, '.next')

export interface NextApp {
  /** The example that is built. */
  readonly example: 'next' | 'next-proxy'
  /** What is changed about it: a file's new name, and its new text. */
  readonly change?: {
    readonly from: string
    readonly to: string
    readonly text: (text: string) => string
  }
  /** What is added to it: texts by the names of their files. */
  readonly files?: Readonly<Record<string, string>>
  /** Flags of `next build`. */
  readonly flags?: readonly string[]
}

/**
 * Installs Next.js for all builds: once, in examples/next, the packages of which are those of
 * examples/next-proxy too. Takes a second if it is there already.
 */
export async function installNext({ run }: ReturnType<typeof programs>): Promise<void> {
  console.log('Next.js: npm install in examples/next')
  await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: join(EXAMPLES, 'next') })
}

/** Builds a copy of an example, as its `npm run build` does, and returns its directory. */
export async function buildNext(
  { run }: ReturnType<typeof programs>,
  name: string,
  { example, change, files = {}, flags = [] }: NextApp,
): Promise<string> {
  console.log(`Next.js: next build of ${name}`)
  const directory = join(BUILDS, name)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(BUILDS, { recursive: true })
  cpSync(join(EXAMPLES, example), directory, {
    recursive: true,
    filter: (path) => !/\/(?:node_modules|\.next)$/.test(path.slice(EXAMPLES.length)),
  })
  symlinkSync('../../next/node_modules', join(directory, 'node_modules'))
  if (change) {
    const file = join(directory, change.to)
    renameSync(join(directory, change.from), file)
    writeFileSync(file, change.text(readFileSync(file, 'utf8')))
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  await run(process.execPath, [next(directory), 'build', ...flags], {
    cwd: directory,
    env: { NEXT_TELEMETRY_DISABLED: '1' },
  })
  return directory
}

/** The runtime that a build says its middleware runs on. */
export function runtimeOf(directory: string): string | undefined {
  const read = (name: string): unknown =>
    JSON.parse(readFileSync(join(directory, '.next/server', name), 'utf8'))
  const onEdge = read('middleware-manifest.json') as { middleware: { '/'?: unknown } }
  const onNode = read('functions-config-manifest.json') as {
    functions: { '/_middleware'?: { runtime: string } }
  }
  return onEdge.middleware['/'] ? 'edge' : onNode.functions['/_middleware']?.runtime
}

/** Starts what was built, as `next start` does. */
export async function startNext(
  { serve }: ReturnType<typeof programs>,
  directory: string,
  env: Readonly<Record<string, string>>,
) {
  const port = `${await freePort()}`
  const args = [next(directory), 'start', '--hostname', '127.0.0.1', '--port', port]
  const log = await serve(process.execPath, args, /Ready in/, {
    cwd: directory,
    env: { ...env, NEXT_TELEMETRY_DISABLED: '1' },
  })
  return { url: `http://127.0.0.1:${port}`, log }
}

/** Removes what was built. */
export function removeBuilds(): void {
  rmSync(BUILDS, { recursive: true, force: true })
}

const next = (directory: string) => join(directory, 'node_modules/next/dist/bin/next')
