/** Why JSON is not parsed. `shape`: there is an object where a list is required. */
export type ExceededBound = 'shape' | 'depth' | 'lists' | 'values'

export interface Bounds {
  /** How deep lists may be nested. The outermost list is level 1. */
  readonly depth: number
  /** How many lists may be side by side. */
  readonly lists: number
  /** How many values all lists of the greatest depth may contain together. */
  readonly values: number
}

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const LIST = 0x5b
const END_OF_LIST = 0x5d
const OBJECT = 0x7b

/**
 * Measures JSON before it is parsed: `JSON.parse` takes seconds for 8 MB of brackets, this scan
 * some 20 ms. Returns `undefined` for JSON within the bounds. Does not check the syntax.
 */
export function exceededBound(json: Buffer, bounds: Bounds): ExceededBound | undefined {
  let depth = 0
  let lists = 1
  let values = 0
  return firstOutsideStrings(json, (byte) => {
    if (byte === LIST || byte === OBJECT) {
      if (depth === bounds.depth) return 'depth'
      if (byte === OBJECT) return 'shape'
      depth++
      if (depth === bounds.depth) values++
    } else if (byte === END_OF_LIST) depth--
    else if (byte !== COMMA) return undefined
    else if (depth === bounds.depth) values++
    else lists++
    if (lists > bounds.lists) return 'lists'
    return values > bounds.values ? 'values' : undefined
  })
}

/** Whether JSON contains more than `most` lists and objects. */
export function holdsMoreLists(json: Buffer, most: number): boolean {
  let lists = 0
  const isOneTooMany = (byte: number) =>
    (byte === LIST || byte === OBJECT) && ++lists > most ? true : undefined
  return firstOutsideStrings(json, isOneTooMany) ?? false
}

/** Calls `see` for each byte of JSON outside of strings, and returns its first result. */
function firstOutsideStrings<T>(json: Buffer, see: (byte: number) => T | undefined): T | undefined {
  let inString = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0
    if (inString && byte === BACKSLASH) at++
    else if (byte === QUOTE) inString = !inString
    else if (!inString) {
      const result = see(byte)
      if (result !== undefined) return result
    }
  }
  return undefined
}

/** Returns the JSON with its numbers as strings, which keep the digits that were sent. */
export function withQuotedNumbers(json: Buffer): string {
  const quoted = Buffer.allocUnsafe(2 * json.length + 2)
  let length = 0
  let inString = false
  let inNumber = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0
    const isNumber: boolean = !inString && (inNumber ? isPartOfNumber(byte) : isStartOfNumber(byte))
    if (isNumber !== inNumber) {
      quoted[length++] = QUOTE
      inNumber = isNumber
    }
    quoted[length++] = byte
    if (inString && byte === BACKSLASH) quoted[length++] = json[++at] ?? 0
    else if (byte === QUOTE) inString = !inString
  }
  if (inNumber) quoted[length++] = QUOTE
  return quoted.toString('utf8', 0, length)
}

/** A digit or a minus. */
const isStartOfNumber = (byte: number) => (byte >= 0x30 && byte <= 0x39) || byte === 0x2d

/** A digit, `-`, `+`, `.`, `e` or `E`. */
const isPartOfNumber = (byte: number) =>
  isStartOfNumber(byte) || byte === 0x2b || byte === 0x2e || byte === 0x65 || byte === 0x45
