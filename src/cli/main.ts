import manifest from '../../package.json' with { type: 'json' }
import { describeValue } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import type { Command } from './command.ts'
import { doctor } from './doctor.ts'
import { gateway } from './gateway.ts'

const COMMANDS: readonly Command[] = [gateway, doctor]

const USAGE = `Usage: tidegate <command> [options]

${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(9)}${summary}`).join('\n')}

tidegate <command> --help says more; tidegate --version says which this is.
`

process.exitCode = await main(process.argv.slice(2))

async function main([first, ...args]: readonly string[]): Promise<number> {
  if (first === undefined) return fail('tidegate: a command is missing', USAGE)
  if (first === '--help' || first === '-h' || first === 'help') return say(USAGE)
  if (first === '--version' || first === '-v') return say(`${manifest.version}\n`)

  const command = COMMANDS.find(({ name }) => name === first)
  if (!command) {
    const what = first.startsWith('-') ? 'option' : 'command'
    return fail(`tidegate: unknown ${what} ${describeValue(first)} (see tidegate --help)`)
  }
  if (args.includes('--help') || args.includes('-h')) return say(command.usage)
  try {
    return await command.run(args)
  } catch (error) {
    if (!isUsageError(error)) throw error
    const [sentence] = wordsOf(error).split(/\.\s/)
    return fail(`tidegate ${first}: ${sentence} (see tidegate ${first} --help)`)
  }
}

function isUsageError(error: unknown): error is Error & { readonly code?: unknown } {
  if (error instanceof ConfigError) return true
  return error instanceof Error && 'code' in error && `${error.code}`.startsWith('ERR_PARSE_ARGS')
}

/** Node quotes what it did not expect, which may be a secret that lost its flag. */
function wordsOf({ code, message }: Error & { readonly code?: unknown }): string {
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return 'an argument without a flag'
  if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return message
  const [, option] = /^Unknown option '([\s\S]*)'$/.exec(message) ?? []
  return `unknown option ${option === undefined ? '' : describeValue(option)}`
}

function say(text: string): number {
  process.stdout.write(text)
  return 0
}

function fail(sentence: string, more = ''): number {
  process.stderr.write(`${sentence}\n${more && `\n${more}`}`)
  return 2
}
