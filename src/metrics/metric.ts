/** A metric, without the `tidegate.` that begins its name. */
export interface Instrument {
  /** In lower case, with dots: `store.operation.duration`. */
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** `s`, `By`, or what is counted in braces, as OpenTelemetry writes it: `{check}`. */
  readonly unit: string
  /** What it counts or measures, in a sentence. */
  readonly help: string
}

/** A metric and its values so far. */
export interface Metric extends Instrument {
  readonly points: readonly MetricPoint[]
  /** Of a histogram: the upper bounds of its buckets. A last bucket without bound follows. */
  readonly bounds?: readonly number[]
}

/** The value of a metric for one combination of labels. */
export interface MetricPoint {
  readonly labels: Readonly<Record<string, string>>
  /** The count or gauge; of a histogram, how many values were recorded. */
  readonly value: number
  /** Of a histogram: the sum of all values. */
  readonly sum?: number
  /** Of a histogram: how many values each bucket has, without those of smaller buckets. */
  readonly buckets?: readonly number[]
}
