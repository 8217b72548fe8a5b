/** A subcommand of `tidegate`. */
export interface Command {
  /** What is typed after `tidegate`. */
  readonly name: string
  /** One line, for `tidegate --help`. */
  readonly summary: string
  /** All that `tidegate <name> --help` prints. */
  readonly usage: string
  /**
   * Runs with what was typed after the name, and resolves to the exit code. Wrong usage it throws: a
   * `ConfigError`, or what `parseArgs` throws. It is shown as one sentence, with exit code 2.
   */
  run(args: readonly string[]): Promise<number>
}
