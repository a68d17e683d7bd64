import test from 'ava';

import { exchangeSuite } from '../../support/identity/exchange-suite.ts';
import { developmentProvider } from '../../support/identity/provider.ts';

exchangeSuite(test, developmentProvider);
