import manifest from '../../package.json' with { type: 'json' }
import { describeValue } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import { cost } from './cost.ts'
import { doctor } from './doctor.ts'
import { drill } from './drill.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { gateway } from './gateway.ts'
import type { Subcommand } from './subcommand.ts'

const SUBCOMMANDS: readonly Subcommand[] = [gateway, doctor, drill, cost]

const USAGE = `Usage: tidegate <command> [options]

${SUBCOMMANDS.map(({ name, summary }) => `  ${name.padEnd(9)}${summary}`).join('\n')}

tidegate <command> --help shows the options of a command; tidegate --version shows the version.
`

process.on('uncaughtException', (error) => process.exit(crash(error)))
process.exitCode = await main(process.argv.slice(2))

async function main([first, ...args]: readonly string[]): Promise<number> {
  if (first === undefined) return fail('tidegate: a command is missing', USAGE)
  if (first === '--help' || first === '-h' || first === 'help') return print(USAGE)
  if (first === '--version' || first === '-v') return print(`${manifest.version}\n`)

  const subcommand = SUBCOMMANDS.find(({ name }) => name === first)
  if (!subcommand) {
    const what = first.startsWith('-') ? 'option' : 'command'
    return fail(`tidegate: unknown ${what} ${describeValue(first)} (see tidegate --help)`)
  }
  if (args.includes('--help') || args.includes('-h')) return print(subcommand.usage)
  try {
    return await subcommand.run(args)
  } catch (error) {
    if (!isUsageError(error)) return crash(error)
    const [sentence] = messageOf(error).split(/\.\s/)
    return fail(`tidegate ${first}: ${sentence} (see tidegate ${first} --help)`)
  }
}

function isUsageError(error: unknown): error is Error & { readonly code?: unknown } {
  if (error instanceof ConfigError) return true
  return error instanceof Error && 'code' in error && `${error.code}`.startsWith('ERR_PARSE_ARGS')
}

/** Node quotes an unexpected argument, which may be a secret whose flag is missing. */
function messageOf({ code, message }: Error & { readonly code?: unknown }): string {
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return 'unexpected argument without a flag'
  if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return message
  const [, option] = /^Unknown option '([\s\S]*)'$/.exec(message) ?? []
  return `unknown option ${option === undefined ? '' : describeValue(option)}`
}

function print(text: string): number {
  process.stdout.write(text)
  return EXIT_CODES.passed
}

function fail(sentence: string, usage = ''): number {
  process.stderr.write(`${sentence}\n${usage && `\n${usage}`}`)
  return EXIT_CODES.notStarted
}

/** With the stack, for a report. A crash must not look like a check that failed. */
function crash(error: unknown): number {
  console.error('tidegate: an error in tidegate itself.', error)
  return EXIT_CODES.crashed
}
