export interface BatchEnv {
  readonly URL: string
  readonly TOKEN: string
  readonly limit: number
  readonly window: number
}

export const clientIn = (request: Request) => new URL(request.url).searchParams.get('client') ?? ''
