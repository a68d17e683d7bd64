/** Nobody is signed in, or the sign-in has ended; the message says what to do. */
export class SignInNeededError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SignInNeededError';
  }
}

/** The identity provider does not answer, and no token that is still valid is left. */
export class ProviderAwayError extends Error {
  constructor(issuer: string, options?: ErrorOptions) {
    super(`The identity provider ${issuer} does not answer; the access token has expired.`, options);
    this.name = 'ProviderAwayError';
  }
}
