/** A longer first line is not read. */
const MAX_HEADER_BYTES = 1000

/**
 * A word at the beginning of a line, as `sdssplitargs` of Redis reads it: the end of the word may
 * be in quotes, and in double quotes `\x61` is an `a`. No flag contains the other escapes.
 */
const WORD =
  /^([^ \t\n\v\f\r"']*)(?:"((?:\\[^abnrt]|[^"\\])*)"|'((?:\\'|[^'\\]|\\(?!'))*)')?(?:[ \t\n\v\f\r]+|$)/

/** The only option that Redis supports. It rejects a header with another option. */
const FLAGS_OPTION = /^flags=([\w-]+(?:,[\w-]+)*)?$/

/**
 * Removes a flag from the first line of a script. Returns `undefined` if the flag is not there. If
 * no other flag is left, the line is removed.
 * https://redis.io/docs/latest/develop/programmability/lua-api/#script_flags
 */
export function withoutScriptFlag(text: string | Buffer, flag: string): Buffer | undefined {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const end = bytes.subarray(0, MAX_HEADER_BYTES).indexOf('\n')
  const header = bytes.toString('latin1', 0, Math.max(end, 0))
  if (!header.startsWith('#!')) return undefined
  const [engine, ...options] = wordsOf(header) ?? []
  if (engine !== '#!lua' || !options.every((option) => FLAGS_OPTION.test(option))) return undefined

  const flags = options.flatMap((option) => FLAGS_OPTION.exec(option)?.[1]?.split(',') ?? [])
  const kept = flags.filter((other) => other !== flag)
  if (kept.length === flags.length) return undefined
  return kept.length === 0
    ? bytes.subarray(end + 1)
    : Buffer.concat([Buffer.from(`${engine} flags=${kept.join()}`), bytes.subarray(end)])
}

/** The words of a line, or `undefined` if a quote is not closed, or a word goes on after it. */
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
