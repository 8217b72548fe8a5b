/** What is said by console.warn meanwhile, which then says it to nobody else. */
export function warningsOf(body: () => unknown): string[] {
  const said: string[] = []
  const { warn } = console
  console.warn = (text: string) => said.push(text)
  try {
    body()
  } finally {
    console.warn = warn
  }
  return said
}
