import { readFileSync } from 'node:fs'
import * as util from 'node:util'
import { describeValue } from '../checks.ts'
import type { Environment } from '../environment.ts'
import { ConfigError } from '../errors.ts'

/** Reads files such as `.env.local` and `.dev.vars`. Later files override earlier ones. */
export function readEnvFiles(option: string, files: readonly string[]): Environment {
  // A named import of `parseEnv` would fail at the start on Node before 20.12.
  if (typeof util.parseEnv !== 'function') {
    throw new ConfigError(option, 'Node 20.12 or newer', `Node ${process.versions.node}`)
  }
  return Object.assign({}, ...files.map((file) => util.parseEnv(readText(option, file))))
}

function readText(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? error.code : error
    throw new ConfigError(
      option,
      'a readable file',
      `${describeValue(file)}, which cannot be read (${why})`,
    )
  }
}
