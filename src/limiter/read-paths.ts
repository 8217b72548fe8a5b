import { type PathReadings, parsePath } from '../policy/path.ts'
import type { CheckContext } from './check-context.ts'

export const NO_PATH: PathReadings = []

/** Every reading of the request's path and of the additional paths. */
export function readPaths({ url }: Request, { paths }: CheckContext): PathReadings {
  const path = parsePath(url)
  const more = paths?.() ?? NO_PATH
  return more.length > 0
    ? [...path, ...more.flatMap((one) => parsePath(`http://host${one}`))]
    : path
}
