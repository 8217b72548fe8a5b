import { type ChildProcess, spawn } from 'node:child_process'

/** A program that listens. */
export interface Listening {
  readonly child: ChildProcess
  readonly url: string
}

/** Starts a program of this repository. Resolves when it has printed where it listens. */
export async function startListening(
  file: URL,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Listening> {
  const child = spawn(process.execPath, [file.pathname, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  for await (const chunk of child.stdout) {
    said += chunk
    const [, url] = /listening on (\S+)/.exec(said) ?? []
    if (url !== undefined) {
      child.stdout.resume()
      return { child, url }
    }
  }
  throw new Error(`${file.pathname} ended: ${said}`)
}
