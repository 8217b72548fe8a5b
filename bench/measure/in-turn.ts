/** Asks so many times, one after the other. */
export async function inTurn<Answer>(
  times: number,
  ask: (index: number) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (let i = 0; i < times; i++) answers.push(await ask(i))
  return answers
}
