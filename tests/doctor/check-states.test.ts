import { expect, test } from 'vitest'
import { createCheckStates } from '../../src/doctor/check-states.ts'
import type { Finding, Level } from '../../src/doctor/report.ts'

const finding = (level: Level, text = ''): Finding => ({
  check: 'expiry',
  level,
  says: `${level}${text}`,
})

/** The changes of one check, by the number of the examination. */
function changesOf(levels: readonly Level[]): readonly string[] {
  const states = createCheckStates(0)
  return levels.flatMap((level, index) =>
    states
      .observe([finding(level)], index)
      .map(({ from, to, says }) => `${index + 1}: ${from}→${to} ("${says}")`),
  )
}

test('a worse state is the mildest, and a better state the most severe, of three results', () => {
  expect(
    changesOf([
      ...(['warning', 'failure', 'warning'] as const),
      ...(['failure', 'failure', 'failure'] as const),
      ...(['ok', 'warning', 'info'] as const),
      ...(['ok', 'info', 'ok'] as const),
    ]),
  ).toEqual([
    '3: ok→warning ("warning")',
    '6: warning→failure ("failure")',
    '9: failure→warning ("warning")',
    '11: warning→ok ("info")',
  ])
})

test('a state that alternates does not change', () => {
  expect(changesOf(Array(20).fill(['ok', 'ok', 'warning', 'failure']).flat())).toEqual([])
})

test('of two findings of a check the worse one counts', () => {
  const states = createCheckStates(0)
  const findings = [finding('ok'), finding('failure', ' of two'), finding('info')]
  const changes = [1, 2, 3].flatMap((now) => states.observe(findings, now))
  expect(changes).toMatchObject([{ to: 'failure', says: 'failure of two', lasted: 3 }])
  expect([states.isBad('expiry'), states.isBad('memory')]).toEqual([true, false])
})
