import { formatReport, type TableReport } from './report-table.ts'

/**
 * Prints a report to the standard output, as a table below `head` or as JSON. Returns the exit
 * code: 0, or 1 on a failure, or 2 on a warning with `strict`.
 */
export function printReport(
  head: string,
  report: TableReport,
  { json, strict }: { readonly json?: boolean | undefined; readonly strict?: boolean | undefined },
): number {
  const { stdout } = process
  const terminal = { colours: stdout.isTTY && stdout.hasColors(), columns: stdout.columns }
  console.log(json ? JSON.stringify(report, null, 2) : formatReport(head, report, terminal))
  if (!report.ok) return 1
  return strict && report.level === 'warning' ? 2 : 0
}
