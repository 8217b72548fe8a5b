import { fileURLToPath } from 'node:url'
import { bundle } from '../../scripts/workerd.ts'

/** The text of a Worker with one app, made inside its first request or before it. */
export function scriptOf(
  name: string,
  made: 'inside a request' | 'at module scope',
): Promise<string> {
  const early = made === 'at module scope'
  return bundle({
    stdin: {
      contents: `
        import { app } from './${name}.ts'
        import { worker } from './worker.ts'
        ${early ? 'const made = app()' : ''}
        export default worker(${early ? '() => made' : 'app'})`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      loader: 'ts',
    },
  })
}
