/** Rewrites a path. `attempt`, from 0, makes further spellings of the same kind. */
export type Respell = (path: string, attempt: number) => string

/**
 * Spellings that change the last segment: a limiter that compares the whole path does not find
 * them.
 */
const AT_THE_END: Readonly<Record<string, Respell>> = {
  '//': (path, attempt) => {
    const [before, last] = splitLast(path)
    return `${before}/${'/'.repeat(attempt)}${last}`
  },
  'trailing slash': (path, attempt) => {
    if (path === '/') return path
    return path.endsWith('/') ? path.slice(0, -1) : `${path}/${'/'.repeat(attempt)}`
  },
  '%2e': (path, attempt) => {
    const [before, last] = splitLast(path)
    return `${before}${'/%2e'.repeat(attempt + 1)}${last}`
  },
  'escaped letter': (path, attempt) => replaceLetter(path, -1 - attempt, escapeLetter),
  case: (path, attempt) => replaceLetter(path, -1 - attempt, swapCase),
  ';x': (path, attempt) => `${path};x${attempt || ''}`,
  '%2f': (path, attempt) => replaceLastSlash(path, '%2f'.repeat(attempt + 1)),
  backslash: (path, attempt) => replaceLastSlash(path, '\\'.repeat(attempt + 1)),
}

/** Spellings that change the first segment: a limiter that compares a prefix does not find them. */
const AT_THE_START: Readonly<Record<string, Respell>> = {
  '//': (path, attempt) => `/${'/'.repeat(attempt)}${path}`,
  '/./': (path, attempt) => '/.'.repeat(attempt + 1) + path,
  '/../ of itself': (path, attempt) => `${splitFirst(path)[0]}/..`.repeat(attempt + 1) + path,
  '/../ of another': (path, attempt) => `/drill${attempt || ''}/..${path}`,
  'escaped letter': (path, attempt) => replaceLetter(path, attempt, escapeLetter),
  case(path, attempt) {
    const [first, after] = splitFirst(path)
    const all = first === first.toLowerCase() ? first.toUpperCase() : first.toLowerCase()
    return attempt === 0 ? all + after : replaceLetter(path, attempt - 1, swapCase)
  },
  ';x': (path, attempt) => {
    const [first, after] = splitFirst(path)
    return after === '' ? path : `${first};x${attempt || ''}${after}`
  },
  '%2f': (path, attempt) => replaceFirstSlash(path, '%2f'.repeat(attempt + 1)),
  backslash: (path, attempt) => replaceFirstSlash(path, '\\'.repeat(attempt + 1)),
}

/** All spellings that change a path, by their names. No two of them are the same. */
export function respellingsOf(path: string): ReadonlyMap<string, Respell> {
  const found = new Map<string, Respell>()
  const known = new Set([path])
  const all = [
    ...Object.entries(AT_THE_END),
    ...Object.entries(AT_THE_START).map(([name, respell]) => [`${name} first`, respell] as const),
  ]
  for (const [name, respell] of all) {
    const respelled = respell(path, 0)
    if (known.has(respelled)) continue
    known.add(respelled)
    found.set(name, respell)
  }
  return found
}

/** The last of the segments, and what is before it. */
function splitLast(path: string): readonly [before: string, last: string] {
  const end = path.endsWith('/') ? path.length - 1 : path.length
  const slash = path.lastIndexOf('/', end - 1)
  return slash < 0 ? ['', path] : [path.slice(0, slash), path.slice(slash)]
}

/** The first of the segments, and what is after it. */
function splitFirst(path: string): readonly [first: string, after: string] {
  const slash = path.indexOf('/', 1)
  return slash < 0 ? [path, ''] : [path.slice(0, slash), path.slice(slash)]
}

/** Replaces the slash before the last segment. A path begins with a slash all the same. */
function replaceLastSlash(path: string, slash: string): string {
  const [before, last] = splitLast(path)
  return `${before || '/'}${slash}${last.slice(1)}`
}

/** Replaces the slash after the first segment, if there is another segment. */
function replaceFirstSlash(path: string, slash: string): string {
  const [first, after] = splitFirst(path)
  return after.length > 1 ? `${first}${slash}${after.slice(1)}` : path
}

const escapeLetter = (letter: string) => `%${letter.charCodeAt(0).toString(16)}`
const swapCase = (letter: string) =>
  letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()

/** Replaces the letter at a place, from the end if negative. An escape stays as it is. */
function replaceLetter(path: string, place: number, replace: (letter: string) => string): string {
  const letters = [...path.matchAll(/%[\da-f]{2}|[a-z]/gi)].filter(([text]) => text.length === 1)
  const found = letters.at(place % Math.max(letters.length, 1))
  if (found === undefined) return path
  return path.slice(0, found.index) + replace(found[0]) + path.slice(found.index + 1)
}
