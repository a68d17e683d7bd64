/** Why a token is not accepted; stable, for logs and tests. */
export type TokenFault =
  | 'malformed'
  | 'algorithm'
  | 'key'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not_yet'
  | 'lifetime'
  | 'kind'
  | 'revoked'
  | 'subject';

/** A token that is not accepted; the message says what is wrong without quoting it. */
export class TokenRefused extends Error {
  readonly fault: TokenFault;

  constructor(fault: TokenFault, message: string) {
    super(message);
    this.name = 'TokenRefused';
    this.fault = fault;
  }
}
