import test from 'ava';

import { exchangeSuite } from '../../support/identity/exchange-suite.ts';
import { developmentProvider } from '../../support/identity/provider.ts';

// The suite's titles carry the ids: 'IDN-2, MCP-5: token exchange'.
exchangeSuite(test, developmentProvider);
