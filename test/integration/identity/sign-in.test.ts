import test from 'ava';

import { developmentProvider } from '../../support/identity/provider.ts';
import { signInSuite } from '../../support/identity/suite.ts';

// The suite's titles carry the ids: 'IDN-1, IDN-2: ways to sign in'.
signInSuite(test, developmentProvider);
