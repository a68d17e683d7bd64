import test from 'ava';

import { developmentProvider } from '../../support/identity/provider.ts';
import { signInSuite } from '../../support/identity/suite.ts';

signInSuite(test, developmentProvider);
