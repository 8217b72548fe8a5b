/** A hash of 32 bits, not for secrets: FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
export function fnv1a(text: string): number {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  }
  return state >>> 0
}
