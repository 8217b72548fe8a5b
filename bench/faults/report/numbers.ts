/** A number with as many digits as say something. */
export const number = (value: number): string =>
  Number.isFinite(value) ? value.toLocaleString('en', { maximumFractionDigits: 2 }) : '–'

/** A time in ms. What is below nothing was faster than the app without a limiter, by chance. */
export function milliseconds(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'more than 5 s'
  return `${inMs(value)} ms`
}

export const inMs = (value: number): string =>
  Math.max(0, value).toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 })
