import { formatReport, type TableReport } from './report-table.ts'

/** Prints a report to the standard output, as a table below `head` or as JSON. */
export function printReport(head: string, report: TableReport, isJson = false): void {
  const { stdout } = process
  const terminal = { colours: stdout.isTTY && stdout.hasColors(), columns: stdout.columns }
  console.log(isJson ? JSON.stringify(report, null, 2) : formatReport(head, report, terminal))
}
