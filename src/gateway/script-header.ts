/** In bytes. A longer first line is not looked at. */
const LONGEST_HEADER = 1000

/**
 * A word at the beginning of a line, as `sdssplitargs` of Redis reads it: quotes may stand around the
 * end of it, and in double quotes `\x61` is an `a`. Other characters by escapes are in no flag.
 */
const WORD =
  /^([^ \t\n\v\f\r"']*)(?:"((?:\\[^abnrt]|[^"\\])*)"|'((?:\\'|[^'\\]|\\(?!'))*)')?(?:[ \t\n\v\f\r]+|$)/

/** The options that Redis knows. A header with another one it rejects, with or without the flag. */
const FLAGS = /^flags=([\w-]+(?:,[\w-]+)*)?$/

/**
 * The script without that flag in its first line, or `undefined` if it has no such flag there. A line
 * without any flags is left out. https://redis.io/docs/latest/develop/programmability/lua-api/#script_flags
 */
export function withoutFlag(text: string | Buffer, flag: string): Buffer | undefined {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const end = bytes.subarray(0, LONGEST_HEADER).indexOf('\n')
  const header = bytes.toString('latin1', 0, Math.max(end, 0))
  if (!header.startsWith('#!')) return undefined
  const [engine, ...options] = wordsOf(header) ?? []
  if (engine !== '#!lua' || !options.every((option) => FLAGS.test(option))) return undefined

  const flags = options.flatMap((option) => FLAGS.exec(option)?.[1]?.split(',') ?? [])
  const kept = flags.filter((other) => other !== flag)
  if (kept.length === flags.length) return undefined
  return kept.length === 0
    ? bytes.subarray(end + 1)
    : Buffer.concat([Buffer.from(`${engine} flags=${kept.join()}`), bytes.subarray(end)])
}

/** The words of a line, or nothing if a quote is not closed, or more of the word stands behind it. */
function wordsOf(line: string): readonly string[] | undefined {
  const words: string[] = []
  for (let rest = line; rest !== ''; ) {
    const [whole, plain = '', double = '', single = ''] = WORD.exec(rest) ?? []
    if (whole === undefined) return undefined
    words.push(plain + unescaped(double) + single.replaceAll("\\'", "'"))
    rest = rest.slice(whole.length)
  }
  return words
}

const unescaped = (text: string) =>
  text.replace(/\\(?:x([\da-f]{2})|(.))/gis, (_, hex: string | undefined, other) =>
    hex === undefined ? other : String.fromCharCode(Number.parseInt(hex, 16)),
  )
