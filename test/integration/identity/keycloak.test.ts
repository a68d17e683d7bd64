import test from 'ava';

import { keycloakFolder } from '../../support/identity/keycloak-program.ts';
import { keycloakProvider } from '../../support/identity/keycloak.ts';
import { signInSuite } from '../../support/identity/suite.ts';
import { skip } from '../../support/skip.ts';

const keycloak = await keycloakFolder();
if ('missing' in keycloak) {
  const { missing } = keycloak;
  test('IDN-1: Keycloak passes the sign-in suite', (t) => skip(t, missing));
} else signInSuite(test, () => keycloakProvider(keycloak.folder));
