/** What a benchmark found: by contestant, then by measure. */
export type Figures = Readonly<Record<string, Readonly<Record<string, number | string>>>>

/** One line of the closing table. */
export interface Row {
  readonly measure: string
  readonly rivals: string
  readonly target: string
  readonly tidegate: string
  readonly met: boolean
}

export interface Outcome {
  readonly figures: Figures
  readonly rows: readonly Row[]
}
