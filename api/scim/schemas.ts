import { ROLES } from '../../contracts/principal.ts';

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
/** Resources that one page can hold. */
export const MOST_RESULTS = 200;

const supported = { supported: true };
const unsupported = { supported: false };

/** What this provider can do (RFC 7643, section 5). */
export const serviceProviderConfig = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
  patch: supported,
  bulk: { ...unsupported, maxOperations: 0, maxPayloadSize: 0 },
  filter: { ...supported, maxResults: MOST_RESULTS },
  changePassword: unsupported,
  sort: unsupported,
  etag: supported,
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'Authorization: Bearer, with the token of an administrator or of a service that may synchronise.',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: '/scim/v2/ServiceProviderConfig' },
};

const resourceType = (name: 'User' | 'Group', schema: string, extensions: readonly object[]) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
  id: name,
  name,
  endpoint: `/${name}s`,
  schema,
  schemaExtensions: extensions,
  meta: { resourceType: 'ResourceType', location: `/scim/v2/ResourceTypes/${name}` },
});

/** The two kinds of resource. */
export const resourceTypes = [
  resourceType('User', USER, [{ schema: ENTERPRISE, required: false }]),
  resourceType('Group', GROUP, []),
];

interface Attribute {
  readonly name: string;
  readonly type?: string;
  readonly required?: boolean;
  readonly mutability?: string;
  readonly uniqueness?: string;
  readonly caseExact?: boolean;
  readonly multiValued?: boolean;
  readonly subAttributes?: readonly Attribute[];
  readonly canonicalValues?: readonly string[];
}

const attribute = ({ subAttributes, ...given }: Attribute): Record<string, unknown> => ({
  type: subAttributes ? 'complex' : 'string',
  multiValued: false,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...given,
  ...(subAttributes && { subAttributes: subAttributes.map(attribute) }),
});

const schema = (id: string, name: string, attributes: readonly Attribute[]) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
  id,
  name,
  attributes: attributes.map(attribute),
  meta: { resourceType: 'Schema', location: `/scim/v2/Schemas/${id}` },
});

const text = (name: string): Attribute => ({ name });
const readOnly = (name: string): Attribute => ({ name, mutability: 'readOnly' });

/** The attributes that are kept; others are taken and not stored. */
export const schemas = [
  schema(USER, 'User', [
    { name: 'userName', required: true, uniqueness: 'server' },
    { name: 'name', subAttributes: [text('formatted'), text('givenName'), text('familyName')] },
    text('displayName'),
    text('title'),
    text('locale'),
    { name: 'active', type: 'boolean' },
    {
      name: 'emails',
      multiValued: true,
      subAttributes: [text('value'), text('type'), { name: 'primary', type: 'boolean' }],
    },
    {
      name: 'groups',
      multiValued: true,
      mutability: 'readOnly',
      subAttributes: [readOnly('value'), readOnly('display')],
    },
    { name: 'roles', multiValued: true, mutability: 'readOnly', subAttributes: [readOnly('value')] },
  ]),
  schema(ENTERPRISE, 'EnterpriseUser', [
    text('employeeNumber'),
    text('department'),
    { name: 'manager', subAttributes: [text('value'), readOnly('displayName')] },
  ]),
  schema(GROUP, 'Group', [
    { name: 'displayName', required: true, mutability: 'readOnly', uniqueness: 'server', canonicalValues: [...ROLES] },
    {
      name: 'members',
      multiValued: true,
      subAttributes: [{ name: 'value', mutability: 'immutable' }, text('display')],
    },
  ]),
];
