/** What is written to console.warn meanwhile, and not shown. */
export function warningsOf(body: () => Promise<unknown>): Promise<string[]>
export function warningsOf(body: () => unknown): string[]
export function warningsOf(body: () => unknown): string[] | Promise<string[]> {
  const lines: string[] = []
  const { warn } = console
  const restore = () => {
    console.warn = warn
  }
  console.warn = (text: string) => lines.push(text)
  let done: unknown
  try {
    done = body()
  } finally {
    if (!(done instanceof Promise)) restore()
  }
  return done instanceof Promise ? done.finally(restore).then(() => lines) : lines
}
