/** The Worker that runs test files: GET lists a file's tests, POST runs one of them. */
import { files } from 'test-files'
import { noted, provide } from './workerd-vitest.ts'

export interface TestRun {
  readonly file: string
  readonly name: string
  readonly provided: Readonly<Record<string, unknown>>
}

/** What went wrong, in Vitest's own terms, or nothing. */
export interface TestOutcome {
  readonly error?: { readonly message: string; readonly stack?: string }
}

const loaded = new Map<string, ReadonlyMap<string, () => unknown>>()

async function testsOf(file: string) {
  const known = loaded.get(file)
  if (known) return known
  noted.clear()
  await files[file]?.()
  const tests = new Map(noted)
  loaded.set(file, tests)
  return tests
}

async function run({ file, name, provided }: TestRun): Promise<TestOutcome> {
  provide(provided)
  const body = (await testsOf(file)).get(name)
  if (!body) return { error: { message: `no test is called "${name}"` } }
  try {
    await body()
    return {}
  } catch (error) {
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
    return { error: { message, stack } }
  }
}

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method === 'POST') return Response.json(await run(await request.json()))
    const file = new URL(request.url).searchParams.get('file') ?? ''
    return Response.json([...(await testsOf(file)).keys()])
  },
}
