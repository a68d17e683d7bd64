import type { ApiError } from '../problem.ts';

/** Details of a refusal as RFC 7644, section 3.12, names them. */
export type ScimType =
  'invalidFilter' | 'uniqueness' | 'mutability' | 'invalidSyntax' | 'invalidPath' | 'noTarget' | 'invalidValue';

/** A refusal in the words of SCIM. */
export class ScimRefusal extends Error {
  readonly status: number;
  readonly scimType: ScimType | undefined;
  constructor(status: number, detail: string, scimType?: ScimType) {
    super(detail);
    this.name = 'ScimRefusal';
    this.status = status;
    this.scimType = scimType;
  }
}

/** The body of a refusal. */
export const scimError = (status: number, detail: string, scimType?: ScimType): Record<string, unknown> => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
  status: String(status),
  ...(scimType && { scimType }),
  detail,
});

/** What a refusal of ours is called in SCIM. */
export function scimTypeOf({ code }: ApiError): ScimType | undefined {
  if (code === 'directory_conflict') return 'uniqueness';
  if (code === 'malformed_body' || code === 'too_deep') return 'invalidSyntax';
  return code === 'invalid_input' ? 'invalidValue' : undefined;
}
