/** A subcommand of `tidegate`. */
export interface Subcommand {
  /** The word after `tidegate`. */
  readonly name: string
  /** One line, for `tidegate --help`. */
  readonly summary: string
  /** The text that `tidegate <name> --help` prints. */
  readonly usage: string
  /**
   * Runs with the arguments after the name, and resolves to the exit code. Rejects with a
   * `ConfigError`, or the error of `parseArgs`, if the usage is wrong: `tidegate` then prints one
   * sentence and exits with 2. No other exit is 2, but that of a drill without `--yes`.
   */
  run(args: readonly string[]): Promise<number>
}
