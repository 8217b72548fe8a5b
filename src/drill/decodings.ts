/** A piece of base64 or base64url. */
const BASE64 = /[\w+/-]{4,}/g

/**
 * What a word may mean if it is percent-encoded, once or twice, or base64, or both. The word itself
 * is not among them if it has no encoding.
 */
export function decodingsOf(word: string): readonly string[] {
  const once = word.includes('%') || word.includes('+') ? percentDecodings(word) : []
  const twice = once.filter((text) => text.includes('%')).flatMap(percentDecodings)
  const plain = [word, ...once, ...twice]
  return [...once, ...twice, ...plain.flatMap(base64Decodings)]
}

/** Bytes that are not UTF-8 are read as Latin-1 too, as in header fields. A form has + for a space. */
export function percentDecodings(text: string): readonly string[] {
  return [text, text.replaceAll('+', ' ')].flatMap((form) => {
    const latin1 = form.replace(/%([\da-f]{2})/gi, (_, hex) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    return [latin1, Buffer.from(latin1, 'latin1').toString('utf8')]
  })
}

/**
 * A piece may begin with letters that belong to what is before it, so it is read from each of its
 * first four characters.
 */
function base64Decodings(text: string): readonly string[] {
  return (text.match(BASE64) ?? []).flatMap((piece) =>
    [0, 1, 2, 3].flatMap((start) => {
      const bytes = Buffer.from(piece.slice(start), 'base64')
      return [bytes.toString('latin1'), bytes.toString('utf8')]
    }),
  )
}
